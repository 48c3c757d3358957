// All tests of the page, with one browser; or those that are named: run.sh BUILD_DIR main.mjs tiles keyboard
import { describe } from 'node:test';

// Most of their time they wait for the page's next question, so two may wait at once; what is measured runs alone.
const TOGETHER = ['tiles', 'details', 'keyboard', 'away', 'actions', 'hostile', 'looks'];
const ALONE = ['many'];
const named = process.argv.slice(2);

async function load(names) {
  const wanted = names.filter((name) => !named.length || named.includes(name));
  return Promise.all(wanted.map(async (name) => (await import(`./test_${name}.mjs`)).default));
}

const [together, alone] = [await load(TOGETHER), await load(ALONE)];
describe('the page', { concurrency: 2 }, () => together.forEach((define) => define()));
alone.forEach((define) => define());
