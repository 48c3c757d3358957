// The daemon stops, dies and comes back: the page says so, keeps what it knew, and goes on by itself.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf } from './browser.mjs';
import { Scene } from './scene.mjs';

const REFUSED = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/;

export default () => describe('a daemon that goes away', { concurrency: 1 }, () => {
  let scene;
  let worker;
  before(async () => {
    scene = await Scene.open();
    scene.cbctl('create', 'payments', 'failure_threshold=3 open_timeout=1m');
    worker = await scene.worker();
  });
  after(() => scene.close());

  test('killed: said with the age of what is shown, grey, and back by itself with what was missed', async (t) => {
    const page = await openPage(t, scene.url, {}, REFUSED);
    await expectText(tileOf(page, 'payments').locator('.badge'), /^closed$/);
    await scene.endDaemon('SIGKILL');
    await expectText(page.locator('#silence'), /has not answered for \d+s: it cannot be reached\. Below is how things/);
    assert.match(await page.locator('main').evaluate((main) => getComputedStyle(main).filter), /grayscale/);
    await expectText(tileOf(page, 'payments').locator('.badge'), /^closed$/);
    await worker.say('fail payments 3'); // workers need no daemon
    await scene.startDaemon();
    await page.locator('#silence').waitFor({ state: 'hidden' });
    await expectText(tileOf(page, 'payments').locator('.badge'), /^open$/);
    await expectText(tileOf(page, 'payments').locator('.journal'), /3 consecutive failures/);
    scene.cbctl('reset', 'payments', '--reason', 'after the restart');
    await tileOf(page, 'payments').click();
    const reasons = page.locator('#details .entry .reason', { hasText: 'after the restart' });
    await reasons.first().waitFor();
    assert.equal(await reasons.count(), 1);
    assert.equal(await page.locator('#details .entry .text', { hasText: '3 consecutive failures' }).count(), 1);
  });

  test('stopped: no answer in time', async (t) => {
    const page = await openPage(t, scene.url, {}, REFUSED);
    await tileOf(page, 'payments').waitFor();
    scene.daemon.kill('SIGSTOP');
    t.after(() => scene.daemon.kill('SIGCONT'));
    await expectText(page.locator('#silence'), /no answer within 3 s/);
    scene.daemon.kill('SIGCONT');
    await page.locator('#silence').waitFor({ state: 'hidden' });
  });

  test('an answer that is an error is told in its own words', async (t) => {
    const page = await openPage(t, scene.url, {}, /503/);
    await tileOf(page, 'payments').waitFor();
    const busy = { status: 503, json: { error: 'too much to do' } };
    await page.route('**/api/v1/breakers', (route) => route.fulfill(busy));
    await expectText(page.locator('#silence'), /too much to do/);
  });

  test('a hidden page asks for nothing', async (t) => {
    const page = await openPage(t, scene.url, { before: (opened) => opened.clock.install() });
    await tileOf(page, 'payments').waitFor();
    const hide = (hidden) => page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
    await hide(true);
    let asked = 0;
    page.on('request', () => asked++);
    await page.clock.runFor(10_000);
    assert.equal(asked, 0);
    await hide(false);
    await page.waitForRequest('**/api/v1/breakers');
  });
});
