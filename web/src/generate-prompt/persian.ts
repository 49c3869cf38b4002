import type { Generation } from '../client/types.js';
import type { Texts } from './texts.js';

/** The steps, by the percentage that stands for each (docs/api.md). */
const STEPS: Partial<Record<number, string>> = {
  0: 'در صف، منتظر شروع...',
  10: 'در حال آماده‌سازی هوش مصنوعی...',
  30: 'در حال بررسی توکن‌ها...',
  50: 'در حال ساخت پرامپت با هوش مصنوعی...',
  70: 'در انتظار پاسخ هوش مصنوعی...',
  90: 'در حال نهایی‌سازی...',
  100: 'پرامپت با موفقیت ساخته شد',
};

const ERRORS: Partial<Record<string, string>> = {
  no_subscription: 'شما اشتراک فعالی ندارید. لطفاً یک طرح انتخاب کنید.',
  subscription_expired: 'اشتراک شما به پایان رسیده است. لطفاً آن را تمدید کنید.',
  subscription_deactivated: 'اشتراک شما غیرفعال شده است. لطفاً با پشتیبانی تماس بگیرید.',
  cancelled: 'ساخت پرامپت لغو شد. هیچ توکنی کسر نشد.',
  timed_out: 'ساخت پرامپت بیش از حد طول کشید. هیچ توکنی کسر نشد. لطفاً دوباره تلاش کنید.',
  internal: 'مشکلی از سوی ما پیش آمد. هیچ توکنی کسر نشد. لطفاً دوباره تلاش کنید.',
  network_error: 'ارتباط با سرویس برقرار نشد. لطفاً دوباره تلاش کنید.',
  no_answer: 'نتیجهٔ این درخواست به‌موقع دریافت نشد. لطفاً دوباره بررسی کنید.',
  rate_limited: 'تعداد درخواست‌ها زیاد است. لطفاً کمی بعد دوباره تلاش کنید.',
  unauthorized: 'برای ادامه باید وارد شوید.',
  invalid_token: 'نشست شما به پایان رسیده است. لطفاً دوباره وارد شوید.',
  task_not_found: 'این درخواست پیدا نشد. شاید منقضی شده باشد.',
};

const STARTING = 'در حال شروع...';
const FALLBACK_MESSAGE = 'پرامپت بدون هوش مصنوعی ساخته شد';

const messageOf = ({ state, progress, generatedByAi, message }: Generation): string => {
  if (state === 'starting') return STARTING;
  if (generatedByAi === false) return FALLBACK_MESSAGE;
  return STEPS[progress] ?? message ?? STARTING;
};

/** Persian, right to left, with Persian digits. */
export const persian: Texts = {
  locale: 'fa',
  dir: 'rtl',

  instruction: 'دستور شما',
  placeholder: 'ما کفش می‌فروشیم. صمیمی باش. بعد از ۱۴ روز پول پس داده نمی‌شود.',
  counter: (used, limit) => `${used} از ${limit} نویسه`,
  complaints: { empty: 'لطفاً ابتدا دستور خود را بنویسید.', too_long: 'متن بیش از حد بلند است.' },
  available: (tokens) => `${tokens} توکن در دسترس`,
  generate: 'ساخت پرامپت',
  generating: 'در حال ساخت...',

  progress: 'پیشرفت ساخت پرامپت',
  message: messageOf,
  status: (percent, message) => `${percent} - ${message}`,
  attempt: (attempt) => `هوش مصنوعی پاسخ نداد. تلاش دوباره: بار ${attempt}.`,
  soFar: 'هوش مصنوعی در حال نوشتن است:',
  stale: 'این وضعیت شاید به‌روز نباشد. در حال بررسی دوباره...',
  reconnecting: 'ارتباط قطع شد. در حال اتصال دوباره...',
  lost: 'سرویس در دسترس نیست. ساخت پرامپت ادامه دارد و با برقراری ارتباط، وضعیت آن نمایش داده می‌شود.',
  cancel: 'لغو',
  cancelling: 'در حال لغو...',
  cancelFailed: 'لغو انجام نشد. لطفاً دوباره تلاش کنید.',

  result: 'پرامپت شما',
  fallback: () => 'هوش مصنوعی در دسترس نبود و متن شما به‌سادگی ترکیب شد. هیچ توکنی کسر نشد.',
  copy: 'رونوشت',
  copied: 'رونوشت شد',
  copyFailed: 'برای رونوشت Ctrl+C را بزنید',
  edit: 'ویرایش',
  done: 'پایان ویرایش',
  editor: 'ویرایش پرامپت',
  use: 'استفاده از این پرامپت',
  startOver: 'شروع دوباره',
  charged: (charged, available) => `${charged} توکن کسر شد · ${available} در دسترس`,

  problem: 'پرامپتی ساخته نشد',
  unknownEnd: 'هنوز پاسخی نرسیده است',
  error: ({ error, errorCode }, { required, available }) => {
    if (errorCode === 'insufficient_tokens' || errorCode === 'no_tokens_remaining')
      return `دست‌کم ${required} توکن لازم است. در دسترس: ${available}`;
    const known = errorCode !== null && Object.hasOwn(ERRORS, errorCode) ? ERRORS[errorCode] : undefined;
    return known ?? error ?? '';
  },
  actions: {
    buy_tokens: 'خرید توکن',
    renew_subscription: 'تمدید اشتراک',
    retry: 'تلاش دوباره',
    contact_support: 'تماس با پشتیبانی',
  },
};
