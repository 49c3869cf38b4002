/** The texts of the page around the component. */
export interface PageTexts {
  title: string;
  lead: string;
  demoModel: string;
  balance(tokens: string): string;
  otherLanguage: string;
  signIn: string;
  token: string;
  tokenHint: string;
  tokenRefused: string;
  used: string;
  useFailed: string;
  temporalRun: string;
  reference: string;
  guide: string;

  history: string;
  search: string;
  filter: string;
  statuses: { all: string; processing: string; completed: string; failed: string };
  states: { processing: string; completed: string; fallback: string; failed: string };
  unreachable: string;
  noneYet: string;
  noneFound: string;
  found(count: string): string;
  more: string;
  charged(tokens: string): string;
  instruction: string;
  prompt: string;
  useAgain: string;
}

export const englishPage: PageTexts = {
  title: 'Prompt generation',
  lead: 'Write in your own words what your assistant should be like. You get its full system prompt.',
  demoModel: 'No AI is connected: the bundled demo model only arranges your words.',
  balance: (tokens) => `${tokens} tokens`,
  otherLanguage: 'فارسی',
  signIn: 'Sign in',
  token: 'Your access token',
  tokenHint: 'A JWT. It stays in this tab and is forgotten when you close it.',
  tokenRefused: 'This token is not valid, or not any more. Please paste another one.',
  used: 'Copied: paste it into the settings of your assistant.',
  useFailed: 'This browser does not let the page copy. Select the prompt above and copy it yourself.',
  temporalRun: 'See this run in Temporal',
  reference: 'API reference',
  guide: 'Build it into your page',

  history: 'Your prompts',
  search: 'Search',
  filter: 'Show',
  statuses: { all: 'All', processing: 'Running', completed: 'Completed', failed: 'Failed' },
  states: { processing: 'Running', completed: 'Completed', fallback: 'Without AI', failed: 'Failed' },
  unreachable: 'The service cannot be reached. Looking again...',
  noneYet: 'What you generate is kept here.',
  noneFound: 'Nothing matches.',
  found: (count) => `${count} found`,
  more: 'Show older ones',
  charged: (tokens) => `${tokens} tokens`,
  instruction: 'Instruction',
  prompt: 'Prompt',
  useAgain: 'Start from this instruction',
};

export const persianPage: PageTexts = {
  title: 'ساخت پرامپت',
  lead: 'با زبان خودتان بنویسید دستیارتان چگونه باشد؛ پرامپت کامل آن را تحویل بگیرید.',
  demoModel: 'هیچ هوش مصنوعی متصل نیست: مدل نمایشی فقط نوشتهٔ شما را مرتب می‌کند.',
  balance: (tokens) => `${tokens} توکن`,
  otherLanguage: 'English',
  signIn: 'ورود',
  token: 'توکن دسترسی شما',
  tokenHint: 'یک JWT. فقط در همین برگه می‌ماند و با بستن آن فراموش می‌شود.',
  tokenRefused: 'این توکن معتبر نیست یا دیگر معتبر نیست. لطفاً توکن دیگری وارد کنید.',
  used: 'رونوشت شد: آن را در تنظیمات دستیار خود بچسبانید.',
  useFailed: 'این مرورگر اجازهٔ رونوشت نمی‌دهد. پرامپت بالا را انتخاب و خودتان رونوشت کنید.',
  temporalRun: 'دیدن این اجرا در Temporal',
  reference: 'مرجع API',
  guide: 'افزودن به صفحهٔ شما',

  history: 'پرامپت‌های شما',
  search: 'جستجو',
  filter: 'نمایش',
  statuses: { all: 'همه', processing: 'در حال ساخت', completed: 'کامل‌شده', failed: 'ناموفق' },
  states: { processing: 'در حال ساخت', completed: 'کامل شد', fallback: 'بدون هوش مصنوعی', failed: 'ناموفق' },
  unreachable: 'سرویس در دسترس نیست. در حال بررسی دوباره...',
  noneYet: 'هرچه بسازید اینجا نگه داشته می‌شود.',
  noneFound: 'چیزی پیدا نشد.',
  found: (count) => `${count} مورد پیدا شد`,
  more: 'نمایش قدیمی‌ترها',
  charged: (tokens) => `${tokens} توکن`,
  instruction: 'دستور',
  prompt: 'پرامپت',
  useAgain: 'شروع از این دستور',
};
