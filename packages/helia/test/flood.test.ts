import type { PeerInfo } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { spawnScript, type Remote } from './process.ts'
import { listen, ready, say, selfOf, started, type Node } from './helper.ts'

interface Seen {
  readonly worst: number
  readonly used: number
  readonly events: readonly { readonly type: string; readonly message?: string }[]
}

const topic = 'flooded'

/** A node of this package in a process that watches its event loop, an honest peer, and an attacker in the topic. */
async function scene(): Promise<{
  victim: Remote
  self: PeerInfo
  flooder: Remote & { self: PeerInfo }
  honest: Node
}> {
  const victim = spawnScript('victim.process.ts', JSON.stringify({ dht: false }))
  const self = await victim.ask<PeerInfo>('start')
  await victim.ask('listen', topic)
  const honest = await started({ dht: false })
  await honest.routing.connect(self)
  await listen(honest, topic)
  await ready(honest, topic)
  const flooder = spawnScript('flooder.process.ts')
  const of = await flooder.ask<PeerInfo>('start')
  expect(await flooder.ask('dial', self.addresses[0], topic)).toBe(true)
  await until('the victim knows both', async () => (await victim.ask<string[]>('connections')).length === 2)
  return { victim, self, flooder: { ...flooder, self: of }, honest }
}

/** Milliseconds of processor time between two turns of the event loop. Without limits they were 300 to 2,000. */
const standstill = 100
/** Bytes in use that a flood may leave behind. */
const memory = 100_000_000

describe('a flood', () => {
  test.each<[string, boolean, (flooder: Remote) => Promise<unknown>]>([
    ['one RPC of 3,000 signed messages', true, (flooder) => flooder.ask('messages', topic, 1, 3_000)],
    ['20 RPCs of 1,000 signed messages', true, (flooder) => flooder.ask('messages', topic, 20, 1_000)],
    ['messages with false signatures', true, (flooder) => flooder.ask('forged', topic, 2_000)],
    ['one message again and again', true, (flooder) => flooder.ask('repeated', topic, 50, 3_000)],
    ['frames that are no RPCs', true, (flooder) => flooder.ask('garbage', 20_000, 1_000)],
    ['a million empty RPCs', true, (flooder) => flooder.ask('empty', 1_000_000)],
    ['frames full of message ids', true, (flooder) => flooder.ask('control', topic, 30)],
    ['frames full of tiny messages', true, (flooder) => flooder.ask('tiny', 30)],
    ['grafts during the back-off', true, (flooder) => flooder.ask('grafts', topic, 500)],
    // The engine looks at the score of a peer once a second.
    ['grafts during the back-off, with a pause', true, (flooder) => flooder.ask('grafts', topic, 500, 1_100)],
    ['frames that are too long', true, (flooder) => flooder.ask('oversize', 100, 2 ** 21)],
    ['subscriptions', false, (flooder) => flooder.ask('subscriptions', 10)]
  ])('of %s stops nobody, and what is an offence costs the attacker its place', async (_, isOffence, attack) => {
    const { victim, self, flooder, honest } = await scene()
    const before = await victim.ask<number>('watch')
    const attacking = attack(flooder)
    await say(honest, topic, 'honest')
    await until('the honest message', async () => (await victim.ask<string[]>('heard')).includes('honest'))
    await attacking
    if (isOffence) {
      const connected = async (): Promise<string[]> => await victim.ask<string[]>('connections')
      await until('the attacker is out', async () => !(await connected()).includes(flooder.self.id))
      await until('the attacker knows', async () => !(await flooder.ask<boolean>('connected')))
      await flooder.ask('dial', self.addresses[0], topic)
      await until('the attacker is refused', async () => !(await flooder.ask<boolean>('connected')))
      expect(await connected()).toEqual([selfOf(honest).id])
    }
    const { worst, used, events } = await victim.ask<Seen>('seen')
    expect(worst).toBeLessThan(standstill)
    expect(used - before).toBeLessThan(memory)
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings.every(({ message }) => message?.includes(flooder.self.id) === true)).toBe(true)
    expect(warnings.length > 0).toBe(isOffence)
    await say(honest, topic, 'after')
    await until('the honest peer is still heard', async () => (await victim.ask<string[]>('heard')).includes('after'))
  })

  test.each(['wants', 'cancels', 'blocks', 'presences', 'fields'])(
    'of Bitswap messages full of %s stops nobody',
    async (kind) => {
      const { victim, self, flooder, honest } = await scene()
      const before = await victim.ask<number>('watch')
      const attacking = flooder.ask('bitswap', self.addresses[0], kind, 4)
      await say(honest, topic, 'honest')
      await until('the honest message', async () => (await victim.ask<string[]>('heard')).includes('honest'))
      await attacking
      await say(honest, topic, 'after')
      await until('the honest peer is still heard', async () => (await victim.ask<string[]>('heard')).includes('after'))
      const { worst, used } = await victim.ask<Seen>('seen')
      expect(worst).toBeLessThan(standstill)
      expect(used - before).toBeLessThan(memory)
    }
  )

  test.each(['wants', 'questions', 'cancels', 'blocks', 'answers', 'empty frames', 'unfinished frames', 'garbage'])(
    'of the bulk exchange with %s stops nobody',
    async (kind) => {
      const { victim, self, flooder, honest } = await scene()
      const [cid = new Uint8Array()] = await victim.ask<Uint8Array[]>('put', 1, 100_000)
      const before = await victim.ask<number>('watch')
      const attacking = flooder.ask('bulk', self.addresses[0], kind, 50)
      const signal = AbortSignal.timeout(100_000)
      expect((await honest.blocks.get(CID.decode(new Uint8Array(cid)), { signal })).byteLength).toBe(100_000)
      await attacking
      await say(honest, topic, 'after')
      await until('the honest peer is still heard', async () => (await victim.ask<string[]>('heard')).includes('after'))
      const { worst, used } = await victim.ask<Seen>('seen')
      expect(worst).toBeLessThan(standstill)
      expect(used - before).toBeLessThan(memory)
    }
  )

  test('by a reader that stands still holds no more than its share of memory, and delays nobody', async () => {
    const { victim, self, flooder, honest } = await scene()
    const cids = await victim.ask<Uint8Array[]>('put', 100, 2 ** 20)
    const before = await victim.ask<number>('watch')
    await flooder.ask('deaf', self.addresses[0], cids, 2)
    const signal = AbortSignal.timeout(100_000)
    for (const cid of cids.slice(0, 10))
      expect((await honest.blocks.get(CID.decode(new Uint8Array(cid)), { signal })).byteLength).toBe(2 ** 20)
    const { worst, used } = await victim.ask<Seen>('seen')
    expect(worst).toBeLessThan(standstill)
    expect(used - before).toBeLessThan(20_000_000)
  })

  test('that a peer passes on without being able to tell costs the authors their place, and not that peer', async () => {
    const { victim, flooder } = await scene()
    const before = await victim.ask<number>('watch')
    // Nothing tells the attacker from a relay here: it is the author of none of these.
    await flooder.ask('messages', topic, 10, 1_000, 20)
    await flooder.ask('messages', topic, 1, 5, 5, 'good')
    await until('what others say is heard by way of it', async () =>
      (await victim.ask<string[]>('heard')).some((text) => text.startsWith('good'))
    )
    const { worst, used, events } = await victim.ask<Seen>('seen')
    expect(worst).toBeLessThan(standstill)
    expect(used - before).toBeLessThan(memory)
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
    expect(await victim.ask<string[]>('connections')).toContain(flooder.self.id)
  })
})
