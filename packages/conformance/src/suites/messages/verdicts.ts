import type { IncomingMessage, Verdict } from '@p2pl/core/backend'
import { Channel } from '../../kit/channel.ts'
import { uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { present } from './declared.ts'

/** Unique bytes that begin with a mark. */
function marked(mark: number): Uint8Array {
  const bytes = uniqueBytes(24)
  bytes[0] = mark
  return bytes
}

/** Chosen by the mark of the message. */
const verdicts: readonly (() => Verdict | Promise<Verdict>)[] = [
  () => 'accept',
  () => 'reject',
  () => 'ignore',
  () => Promise.resolve('ignore'),
  () => Promise.reject(new Error('the subscriber failed')),
  () => {
    throw new Error('the subscriber threw')
  },
  async () => await new Promise<never>(() => undefined)
]

function judge({ payload }: IncomingMessage): Verdict | Promise<Verdict> {
  return (verdicts[payload[0] ?? 0] ?? (() => 'accept'))()
}

export const judged: readonly Test[] = [
  {
    name: 'a verdict of any kind, one that fails or never comes, and a subscriber that throws disturb neither later messages nor others',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1], judge })
      const calm = await channel.subscribe(2)
      await channel.warm(0, [2])
      for (const mark of verdicts.keys()) {
        for (let i = 0; i < 3; i++) {
          await channel.publish(0, marked(mark))
          await t.pace()
        }
      }
      await channel.deliver(0, () => marked(0), [1, calm])
    }
  }
]
