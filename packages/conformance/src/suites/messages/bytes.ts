import { Channel } from '../../kit/channel.ts'
import { check, equal, sameBytes } from '../../kit/check.ts'
import { uniqueBytes } from '../../kit/samples.ts'
import type { Test } from '../../kit/test.ts'
import { present } from './declared.ts'

export const retention: readonly Test[] = [
  {
    name: 'a payload is not changed, nor kept by reference after publish has resolved',
    when: present,
    run: async (t) => {
      const channel = await Channel.open(t, await t.shared('trio'), { subscribers: [1, 2] })
      for (let round = 0; round < 5; round++) {
        const copy = uniqueBytes(256)
        const payload = copy.slice()
        await channel.publish(0, payload)
        sameBytes(payload, copy, 'publish does not change the payload')
        payload.fill(0xee)
        await t.pace()
      }
      await channel.flush(0, [1, 2])
      for (const index of [1, 2])
        equal(
          channel.inbox(index).count(new Uint8Array(256).fill(0xee)),
          0,
          'bytes that were changed after publish do not arrive'
        )
    }
  },
  {
    name: 'bytes handed to one subscriber are not those of another',
    when: present,
    run: async (t) => {
      const network = await t.shared('trio')
      const channel = await Channel.open(t, network)
      const sent = await channel.deliver(0, () => uniqueBytes(64), [1, 2])
      for (const message of channel.inbox(1).messages) message.payload.fill(0)
      check(
        sent.some((bytes) => channel.inbox(2).count(bytes) > 0),
        'what one subscriber does to its bytes does not show at another peer',
        channel.inbox(2).messages.map(({ payload }) => payload)
      )
    }
  }
]
