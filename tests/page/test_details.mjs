// Details of one breaker: how they open and close, and what they say.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { expectText, openPage, tileOf } from './browser.mjs';
import { Scene } from './scene.mjs';

export default () => describe('details', { concurrency: 1 }, () => {
  let scene;
  let worker;
  before(async () => {
    scene = await Scene.open();
    scene.cbctl('create', 'geo:example.com/v2@eu', 'failure_threshold=3 open_timeout=1m timing=precise');
    worker = await scene.worker();
    await worker.say('ok geo:example.com/v2@eu 5');
    await worker.say('fail geo:example.com/v2@eu 3');
    scene.cbctl('reset', 'geo:example.com/v2@eu', '--reason', 'mended the “cable”');
  });
  after(() => scene.close());

  test('policy, counts, latency and the journal in sentences', async (t) => {
    const page = await openPage(t, `${scene.url}#geo:example.com/v2@eu`);
    const details = page.locator('#details');
    await expectText(details.locator('h2'), /^geo:example.com\/v2@eu$/);
    await expectText(details.locator('.policy'), /failure_threshold 3 open_timeout 1m timing precise everything else /);
    await expectText(details.locator('.counts'), /successes 5 failures 3 .*transitions 2/);
    await expectText(details.locator('.now'), /latency p50 \d+µs/);
    await expectText(details.locator('.journal'), /“mended the “cable””.*3 consecutive failures.*created/);
  });

  test('a click opens, the address names it, "back" closes', async (t) => {
    const page = await openPage(t, scene.url);
    await tileOf(page, 'geo:example.com/v2@eu').click();
    await page.locator('#details[open]').waitFor();
    assert.equal(decodeURIComponent(new URL(page.url()).hash), '#geo:example.com/v2@eu');
    await page.goBack();
    await page.locator('#details:not([open])').waitFor({ state: 'attached' });
  });

  test('an address that names no breaker says so', async (t) => {
    const page = await openPage(t, `${scene.url}#never-heard-of`);
    await expectText(page.locator('#details .gone'), /not there/);
  });

  test('an address that is no name opens nothing', async (t) => {
    const page = await openPage(t, `${scene.url}#%E0%A4%A`);
    await tileOf(page, 'geo:example.com/v2@eu').waitFor();
    assert.equal(await page.locator('#details[open]').count(), 0);
  });
});
