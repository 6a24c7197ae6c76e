import { Channel } from '../../kit/channel.ts'
import { check, equal, rejects } from '../../kit/check.ts'
import { Inbox } from '../../kit/inbox.ts'
import { messagesOf } from '../../kit/parts.ts'
import { uniqueBytes, uniqueName } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'

/** Unique bytes that begin with a mark. */
function marked(mark: number): () => Uint8Array {
  return () => {
    const bytes = uniqueBytes(24)
    bytes[0] = mark
    return bytes
  }
}

export const verdicts: readonly Test[] = [
  {
    name: 'a validator is refused where validation is declared `none`',
    when: (c) => c.messages?.validation === 'none',
    run: async (t) => {
      const backend = (await t.shared('trio')).at(1)
      const inbox = new Inbox().judge(() => 'accept')
      await rejects(() => messagesOf(backend).subscribe(uniqueName('topic'), inbox), {
        backend,
        operation: 'messages.subscribe',
        codes: ['UNSUPPORTED']
      })
    }
  },
  {
    name: 'a validator is asked before the message, and only accepted messages are delivered',
    when: (c) => c.messages !== undefined && c.messages.validation !== 'none',
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), {
        subscribers: [1],
        judge: ({ payload }) => {
          switch (payload[0]) {
            case 1:
              return 'reject'
            case 2:
              return 'ignore'
            case 3:
              return Promise.resolve('ignore')
            case 4:
              return Promise.reject(new Error('the validator failed'))
            case 5:
              return Promise.resolve('accept')
            default:
              return 'accept'
          }
        }
      })
      const inbox = channel.inbox(1)
      for (const mark of [1, 2, 3, 4]) {
        for (let i = 0; i < 3; i++) {
          await channel.publish(0, marked(mark)())
          await t.pace()
        }
      }
      await channel.deliver(0, marked(5), [1])
      await channel.deliver(0, marked(6), [1])
      await channel.flush(0, [1])
      const seen = inbox.messages.map(({ payload }) => payload[0])
      for (const mark of [1, 2, 3, 4])
        check(
          !seen.includes(mark),
          `a message is not delivered when its verdict is ${['reject', 'ignore', 'a promised ignore', 'a failed promise'][mark - 1]}`,
          seen
        )
      equal(inbox.calls[0], 'validate', 'the validator is asked first')
    }
  }
]
