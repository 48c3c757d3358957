// The same closed and open call through opossum, inside one Node process.
//
//     node opossumbench.js        prints "closed NANOSECONDS", "open NANOSECONDS" and "await NANOSECONDS", medians
//
// An asynchronous function that returns at once, without opossum's time-out (a timer a call), which the others here do
// not have. `await`: the same function without a breaker. The breaker is known to this process only.
'use strict';

const CircuitBreaker = require('opossum');

const RUNS = 15;
const TURNS = 20000;

const operation = async () => 1;

async function perCall(call) {
  const began = process.hrtime.bigint();
  for (let i = 0; i < TURNS; i++) await call();
  return Number(process.hrtime.bigint() - began) / TURNS;
}

async function median(call) {
  const took = [];
  await perCall(call); // warms up
  for (let run = 0; run < RUNS; run++) took.push(await perCall(call));
  return took.sort((a, b) => a - b)[RUNS >> 1];
}

async function rejected(breaker) {
  try {
    await breaker.fire();
  } catch (error) {
    if (error.code === 'EOPENBREAKER') return;
  }
  throw new Error('not rejected');
}

async function main() {
  const breaker = new CircuitBreaker(operation, { timeout: false, resetTimeout: 3600000 });
  console.log('await', (await median(operation)).toFixed(1));
  console.log('closed', (await median(() => breaker.fire())).toFixed(1));
  breaker.open();
  console.log('open', (await median(() => rejected(breaker))).toFixed(1));
  breaker.shutdown();
}

main();
