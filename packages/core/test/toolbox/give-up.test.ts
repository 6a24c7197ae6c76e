import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { giveUpAfter } from '../../src/toolbox/give-up.ts'

const answering = `
const { parentPort, workerData: answered } = require('node:worker_threads')
parentPort.once('message', (question) => {
  parentPort.postMessage(question)
  Atomics.store(answered, 0, 1)
  Atomics.notify(answered, 0)
})`

test('an answer that came while the process was blocked cancels the call, though the timer is due', async () => {
  const answered = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(answering, { eval: true, workerData: answered })
  await once(worker, 'online')
  let gaveUp = false
  const cancel = giveUpAfter(1, () => (gaveUp = true))
  const message = once(worker, 'message')
  worker.once('message', cancel)
  worker.postMessage('question', [])
  // Timers come first in the turn after this one.
  setImmediate(() => {
    Atomics.wait(answered, 0, 0)
    Atomics.wait(answered, 0, 1, 10)
  })
  await message
  await sleep(50)
  expect(gaveUp).toBe(false)
  await worker.terminate()
})

test('without an answer the call is made', async () => {
  await new Promise<void>((resolve) => giveUpAfter(1, resolve, { hold: true }))
})
