// What an administrator does from the page: with the token only, after a confirmation, and told in words.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf } from './browser.mjs';
import { Scene, TOKEN } from './scene.mjs';

export default () => describe('actions', { concurrency: 1 }, () => {
  let scene;
  before(async () => {
    scene = await Scene.open();
    scene.cbctl('create', 'payments/eu', 'open_timeout=1m');
  });
  after(() => scene.close());

  const open = async (t, url = scene.url, harmless) => {
    const page = await openPage(t, `${url}#payments/eu`, {}, harmless);
    await expectText(page.locator('#details .badge'), /./);
    return page;
  };
  const enter = async (page, token) => {
    await page.click('#details .readonly button');
    await page.fill('#token-text', token);
    await page.keyboard.press('Enter');
  };
  const act = async (page, action, reason) => {
    await page.click(`[data-action=${action}]`);
    await page.fill('[name=reason]', reason);
    await page.click('#details .do');
  };

  test('without a token nothing can be pressed', async (t) => {
    const page = await open(t);
    assert.equal(await page.locator('#details [data-action]:enabled').count(), 0);
    await expectText(page.locator('#details .readonly'), /Read-only/);
  });

  test('every action, with its reason in the journal', async (t) => {
    const page = await open(t);
    await enter(page, TOKEN);
    const state = (name) => expectText(page.locator('#details .badge'), new RegExp(`^${name}$`));
    assert.equal(await page.locator('[data-action=auto]').isDisabled(), true); // there is no override
    for (const [action, becomes] of [['trip', 'open'], ['reset', 'closed'], ['force-open', 'forced-open'],
      ['disable', 'disabled'], ['metrics-only', 'metrics-only'], ['auto', 'closed']]) {
      await act(page, action, `reason of ${action}`);
      await state(becomes);
      await expectText(page.locator('#details .journal'), new RegExp(`“http: reason of ${action}”`));
    }
  });

  test('an override has the end that was chosen', async (t) => {
    const page = await open(t);
    await enter(page, TOKEN);
    await page.click('[data-action=force-open]');
    await page.selectOption('[name=for]', { label: '15 minutes' });
    await page.click('#details .do');
    await expectText(page.locator('#details .next'), /^Closes by itself in (15m|14m \d+s)$/);
    scene.cbctl('auto', 'payments/eu');
  });

  test('nothing happens without the confirmation', async (t) => {
    const page = await open(t);
    await enter(page, TOKEN);
    const asked = [];
    page.on('request', (request) => request.method() === 'POST' && asked.push(request.url()));
    await page.click('[data-action=trip]');
    await expectText(page.locator('#details .meaning'), /^Trip payments\/eu: opens it/);
    await page.keyboard.press('Escape'); // takes back the question, and leaves the details open
    await page.locator('#details form').waitFor({ state: 'hidden' });
    await page.locator('#details[open]').waitFor();
    await page.click('[data-action=reset]');
    await page.click('#details .cancel');
    assert.deepEqual(asked, []);
  });

  test('a wrong token, and a daemon without one, are told in words', async (t) => {
    const page = await open(t, scene.url, /401|403/);
    await enter(page, 'not the token at all');
    await act(page, 'trip', '');
    await expectText(page.locator('#details .outcome.wrong'), /^registryd refused: .*token/);
    const without = await Scene.open('', { token: false });
    without.cbctl('create', 'payments/eu');
    const other = await open(t, without.url, /401|403/);
    t.after(() => without.close());
    await enter(other, TOKEN);
    await act(other, 'trip', '');
    await expectText(other.locator('#details .outcome.wrong'), /http_token_file/);
  });

  test('the token stays in the tab, and can be forgotten', async (t) => {
    const page = await open(t);
    await enter(page, TOKEN);
    await page.reload();
    await page.locator('#details [data-action=trip]:enabled').waitFor();
    assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0);
    await page.keyboard.press('Escape');
    await page.click('#key');
    await page.click('#token [value=forget]');
    await tileOf(page, 'payments/eu').click();
    await expectText(page.locator('#details .readonly'), /Read-only/);
    assert.equal(await page.locator('#details [data-action]:enabled').count(), 0);
  });
});
