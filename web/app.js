const API = '/api/v1/web-knowledge/generate-prompt-async/';
const POLL_MS = 1000;
/** Every task has ended by then. */
const GIVE_UP_MS = 120_000;

const ACTIONS = {
  buy_tokens: 'Please buy tokens, then try again.',
  renew_subscription: 'Please renew your subscription, then try again.',
  retry: 'Please try again.',
  contact_support: 'Please contact support.',
};
const WAITING_FOR = { worker: 'Waiting for a free worker.', llm: 'Waiting for the AI.', tokens: 'Waiting for tokens.' };

const element = (id) => document.getElementById(id);
const show = (id, visible = true) => (element(id).hidden = !visible);
const write = (id, text) => (element(id).textContent = text ?? '');

const state = { config: { demo_model: false }, token: null, request: null };

await begin();

async function begin() {
  element('sign-in').addEventListener('submit', onSignIn);
  element('generate').addEventListener('submit', onGenerate);
  element('copy').addEventListener('click', onCopy);
  const answer = await fetch('/page-config.json');
  if (answer.ok) state.config = await answer.json();
  show('demo', state.config.demo_model);
  signIn(state.config.demo_token ?? sessionStorage.getItem('token'));
}

/** Without a token the page asks for one. */
function signIn(token, error) {
  state.token = token;
  show('sign-in', token === null);
  show('generate', token !== null);
  write('sign-in-error', error);
  if (token !== null) void showAccount();
}

function onSignIn(event) {
  event.preventDefault();
  const token = element('token').value.trim();
  sessionStorage.setItem('token', token);
  signIn(token);
}

function refused(error) {
  sessionStorage.removeItem('token');
  signIn(null, error);
}

async function callApi(path, options = {}) {
  return fetch(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${state.token}` } });
}

async function showAccount() {
  const answer = await callApi('/api/v1/account/').catch(() => null);
  if (answer?.status === 401) return refused('This token is not valid. Please paste another one.');
  if (!answer?.ok) return;
  const { tokens } = await answer.json();
  write('account', `${tokens.available.toLocaleString()} tokens available`);
}

async function onGenerate(event) {
  event.preventDefault();
  const manual_prompt = element('manual-prompt').value;
  // The same text after a lost answer is the same request: it keeps its key, so that nothing is charged twice.
  if (state.request?.manual_prompt !== manual_prompt) state.request = { manual_prompt, key: newKey() };
  setBusy(true);
  try {
    const { status_url, task_id } = await start(state.request);
    showRun(task_id);
    const end = await pollToTheEnd(status_url);
    // Only now: whoever tries again before this task's end is known means this task.
    state.request = null;
    showEnd(end);
  } catch (error) {
    showProblem(error.message, ACTIONS.retry);
  } finally {
    setBusy(false);
    void showAccount();
  }
}

async function start({ manual_prompt, key }) {
  show('problem', false);
  show('result', false);
  showProgress({ progress: 0, message: 'Starting...' });
  const answer = await callApi(API, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key },
    body: JSON.stringify({ manual_prompt }),
  }).catch(() => null);
  if (answer === null) throw new Error('The service cannot be reached.');
  const body = await answer.json();
  if (answer.status !== 202) {
    if (answer.status === 401) refused(body.message);
    throw new Error(body.message);
  }
  return body;
}

/** Asks once a second, or as Retry-After says, and never again before the last answer came. */
async function pollToTheEnd(statusUrl) {
  const cancel = async () => {
    const answer = await callApi(`${statusUrl}cancel/`, { method: 'POST' }).catch(() => null);
    if (!answer?.ok) write('detail', 'It could not be cancelled just now. Please try again.');
  };
  element('cancel').addEventListener('click', cancel);
  show('cancel');
  try {
    for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt;) {
      // No header is needed: the answer to the start set a cookie for this one address.
      const answer = await fetch(statusUrl).catch(() => null);
      const task = answer?.ok ? await answer.json().catch(() => null) : null;
      if (task?.status === 'completed' || task?.status === 'failed') return task;
      if (task) showProgress(task);
      else if (answer && !answer.ok && answer.status < 500 && ![408, 429].includes(answer.status))
        throw new Error((await answer.json()).message);
      else write('detail', 'The service cannot be reached. Trying again...');
      await rest(Math.max(POLL_MS, 1000 * Number(answer?.headers.get('Retry-After') ?? 0)));
    }
    throw new Error('The service did not answer in time.');
  } finally {
    element('cancel').removeEventListener('click', cancel);
    show('cancel', false);
  }
}

function showProgress({ progress, message, detail, stale }) {
  show('task');
  element('progress').value = progress;
  write('percent', `${progress} %`);
  write('message', message);
  write('detail', stale ? 'This may be out of date. Trying again...' : detailText(detail));
}

function detailText(detail) {
  if (detail?.attempt > 1 || detail?.next_attempt_at) return `Trying again: attempt ${detail.attempt}.`;
  return WAITING_FOR[detail?.waiting_for] ?? '';
}

function showRun(taskId) {
  const { temporal_runs_url } = state.config;
  show('run', temporal_runs_url !== undefined);
  if (temporal_runs_url) element('run').href = temporal_runs_url + taskId;
}

function showEnd(task) {
  showProgress({ progress: task.progress, message: task.message });
  if (task.status === 'failed') return showProblem(task.error, ACTIONS[task.action]);
  show('result');
  show('fallback', !task.generated_by_ai);
  write('fallback', task.generated_by_ai ? '' : `${task.warning}. Nothing was charged.`);
  write('prompt', task.prompt);
  write('cost', `${task.tokens.charged.toLocaleString()} tokens charged · model ${task.model}`);
}

function showProblem(text, action) {
  write('problem-text', text);
  // Most sentences say themselves what to do.
  write('problem-action', action && !text.includes('Please') ? action : '');
  show('problem');
}

function setBusy(busy) {
  element('start').disabled = busy;
  element('manual-prompt').readOnly = busy;
}

async function onCopy() {
  const prompt = element('prompt');
  try {
    await navigator.clipboard.writeText(prompt.textContent);
    write('copy', 'Copied');
  } catch {
    // Browsers allow it on https and localhost only: select it, so that Ctrl-C does it.
    getSelection().selectAllChildren(prompt);
    write('copy', 'Press Ctrl-C');
  }
  await rest(2000);
  write('copy', 'Copy');
}

const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Not randomUUID: that is missing on plain http. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
