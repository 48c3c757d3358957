// Chromium, and the page in it. What goes wrong inside the page fails the test that opened it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after } from 'node:test';

const { NODE_MODULES, CHROMIUM } = process.env;
const { chromium } = createRequire(`${NODE_MODULES}/`)('playwright-core');
const DEADLINE_MS = 10_000; // for what should take milliseconds
let browser = null; // one for all tests, or the promise of it
after(async () => (await browser)?.close());

// Open the page. `options`: of Playwright's newContext(). It is closed, and its complaints are looked at, by
// `test.after`. `harmless`: a pattern of complaints that the test provokes.
export async function openPage(test, url, options = {}, harmless = /(?!)/) {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] }); // as root it needs that
  const context = await (await browser).newContext(options);
  context.setDefaultTimeout(DEADLINE_MS);
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => harmless.test(text) || complaints.push(text);
  page.on('pageerror', (error) => complain(error.stack));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()));
  test.after(async () => {
    await context.close();
    assert.deepEqual(complaints, [], 'the page complained');
  });
  await options.before?.(page);
  await page.goto(url);
  return page;
}

// The tile of a breaker.
export function tileOf(page, name) {
  return page.locator('#tiles li', { has: page.locator('.name', { hasText: new RegExp(`^${escape(name)}$`) }) });
}

// Wait until an element's text fits.
export async function expectText(locator, pattern) {
  const fits = async () => pattern.test((await locator.innerText()).replace(/\s+/g, ' '));
  await until(fits, async () => `"${await locator.innerText().catch(() => '(not there)')}" does not fit ${pattern}`);
}

// Wait for a condition of the page's world; `what()` tells what is wrong if it never comes.
export async function until(condition, what) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (Date.now() > deadline) assert.fail(await what());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
