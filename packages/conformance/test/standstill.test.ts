import { expect, it } from 'vitest'
import { Inbox } from '../src/kit/inbox.ts'

it('what came while the process stood still is read before a subscriber is taken to be quiet', async () => {
  const inbox = new Inbox()
  const { port1, port2 } = new MessageChannel()
  port1.addEventListener('message', () => void inbox.message({ payload: Uint8Array.of(1), from: undefined }))
  port1.start()
  const quiet = inbox.untilQuiet(() => false, 300)
  port2.postMessage('it waits to be read')
  for (const end = performance.now() + 600; performance.now() < end;);
  await quiet
  expect(inbox.messages.length).toBe(1)
  port1.close()
})
