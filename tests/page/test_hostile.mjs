// Names, reasons and commands that are HTML or script are text.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf, until } from './browser.mjs';
import { Scene } from './scene.mjs';

const SCRIPT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';

export default () => describe('hostile text', { concurrency: 1 }, () => {
  let scene;
  before(async () => {
    scene = await Scene.open();
    scene.cbctl('create', 'payments', 'failure_threshold=1 open_timeout=1m');
  });
  after(() => scene.close());

  async function expectHarmless(page) {
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator('body img, main script, dialog script, main b:not([class]), i').count(), 0);
  }

  test('a reason and a command', async (t) => {
    const worker = await scene.worker('<b>bold</b>');
    await worker.say('fail payments 1');
    scene.cbctl('force-open', 'payments', '--reason', SCRIPT);
    const page = await openPage(t, `${scene.url}#payments`);
    await expectText(page.locator('#details .override'), /“<img src=x onerror="window.hacked=1">/);
    await expectText(page.locator('#details .journal'), /by <b>bold<\/b>\[/);
    await expectHarmless(page);
  });

  test('a name, a policy and a registry, which no registryd would take', async (t) => {
    const page = await openPage(t, scene.url, {
      before: (opened) => opened.route('**/api/v1/breakers', async (route) => {
        const answer = await (await route.fetch()).json();
        const [real] = answer.breakers;
        const names = [SCRIPT, 'javascript:window.hacked=1', '__proto__', 'constructor', '"><i>', '‮txet desrever'];
        answer.breakers = names.map((name) => ({ ...real, name, policy: `${SCRIPT}=${SCRIPT}`, state: '<i>' }));
        await route.fulfill({ json: { ...answer, registry: SCRIPT } });
      }),
    });
    await until(async () => (await page.locator('#tiles li').count()) === 6, () => 'not six tiles');
    await expectText(page.locator('#registry'), /<script>/);
    for (const tile of await page.locator('#tiles li').all()) {
      await tile.click();
      await page.locator('#details[open]').waitFor();
      await page.keyboard.press('Escape');
    }
    await expectHarmless(page);
  });

  test('an event about no breaker, or that makes no sense', async (t) => {
    const events = [{}, { breaker: null }, { breaker: 'payments' }, { sequence: 'x', breaker: '__proto__' }];
    const page = await openPage(t, scene.url, {
      before: (opened) => opened.route('**/api/v1/events**', (route) => route.fulfill({
        contentType: 'text/event-stream',
        body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
      })),
    });
    await tileOf(page, 'payments').waitFor();
    await page.locator('#tiles li[data-state=forced-open]').click();
    await expectHarmless(page);
  });

  test('nothing from elsewhere may run, and no other page may frame this one', async () => {
    const answer = await fetch(scene.url);
    const policy = answer.headers.get('content-security-policy');
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"])
      assert.ok(policy.includes(part), `${part} is not in ${policy}`);
    assert.doesNotMatch(policy, /unsafe/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(await answer.text(), /https?:|\son[a-z]+=|\sstyle=/);
  });
});
