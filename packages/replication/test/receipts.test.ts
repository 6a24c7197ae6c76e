import { decode, encode } from '@ipld/dag-cbor'
import { createPeer, isP2plError, type P2plError, type Peer, verifyAcknowledgement, type WillingPeer } from '@p2pl/core'
import { createMemoryNetwork, memory, type MemoryNetwork } from '@p2pl/memory'
import { seededBytes, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import type { Keep } from './support/simulated.ts'

const mebibyte = 1024 * 1024

async function keeper(network: MemoryNetwork, keep: Keep): Promise<Peer> {
  return await createPeer({ backend: memory({ network }), receipts: { keep } })
}

async function pinsOf(peer: Peer): Promise<string[]> {
  const cids: string[] = []
  for await (const { cid } of peer.data.pins()) cids.push(cid.toString())
  return cids
}

/** Who answers a question to all: asked again until somebody does. */
async function willingFor(peer: Peer): Promise<readonly WillingPeer[]> {
  return await until('somebody is willing', async () => {
    const willing = await peer.data.willing({ within: 100 })
    return willing.length > 0 && willing
  })
}

async function errorOf(work: Promise<unknown>): Promise<P2plError> {
  return await work.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => (isP2plError(error) ? error : expect.fail(String(error)))
  )
}

describe('data.add until retrievable', () => {
  it('resolves when as many peers as asked for have it, and gives their signed statements', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    const keep = { peers: [ann.id], maxBytes: 64 * mebibyte }
    await using ben = await keeper(network, keep)
    await using cleo = await keeper(network, keep)
    const bytes = seededBytes(3 * mebibyte + 5, 1)
    const { cid, size, receipt } = await ann.data.add(bytes, { until: 'retrievable', replicas: 2 })
    expect(size).toBe(bytes.byteLength)
    expect(receipt).toMatchObject({ cid, reached: 'retrievable' })
    expect(receipt.took).toBeGreaterThan(0)
    expect(receipt.acknowledgements.map(({ peer }) => peer).sort()).toEqual([ben.id, cleo.id].sort())
    for (const acknowledgement of receipt.acknowledgements) {
      expect(await verifyAcknowledgement(acknowledgement.encoded)).toEqual(acknowledgement)
      expect(acknowledgement).toMatchObject({ asker: ann.id, blocks: 5, challenged: 5 })
    }
    for (const peer of [ben, cleo]) expect(await pinsOf(peer)).toEqual([cid.toString()])
  })

  it('says what local and provided have reached', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using _ben = await createPeer({ backend: memory({ network }) })
    expect((await ann.data.add('a')).receipt).toMatchObject({ reached: 'local', acknowledgements: [] })
    expect((await ann.data.add('b', { until: 'provided' })).receipt.reached).toBe('provided')
  })

  it('fails with what was reached: nobody, or too few', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    const alone = await errorOf(ann.data.add('x', { until: 'retrievable', timeout: 300 }))
    expect(alone).toMatchObject({
      code: 'NO_PEERS',
      retryable: true,
      reached: { reached: 'local', acknowledgements: [] }
    })
    expect(alone.message).toContain('receipts: { keep: { peers } }')
    expect(new TextDecoder().decode(await ann.data.bytes(alone.reached!.cid))).toBe('x')
    await using ben = await keeper(network, { peers: [ann.id], maxBytes: mebibyte })
    // Time enough for one acknowledgement on a busy machine.
    const few = await errorOf(ann.data.add('y', { until: 'retrievable', replicas: 2, timeout: 5_000 }))
    expect(few).toMatchObject({ code: 'TIMEOUT', reached: { reached: 'retrievable' } })
    expect(few.message).toContain('1 have acknowledged')
    expect(few.reached?.acknowledgements.map(({ peer }) => peer)).toEqual([ben.id])
    const ended = new AbortController()
    const aborted = errorOf(ann.data.add('z', { until: 'retrievable', replicas: 2, signal: ended.signal }))
    await until('ben has it', async () => (await pinsOf(ben)).length === 2)
    ended.abort()
    expect(await aborted).toMatchObject({ code: 'ABORTED', reached: { cid: expect.anything() as unknown } })
  })

  it('is refused where it makes no sense, before anything is stored', async () => {
    await using ann = await createPeer({ backend: memory() })
    const wrong = [
      { replicas: 2 },
      { until: 'provided', challenge: 2 },
      { until: 'retrievable', replicas: 0 },
      { until: 'retrievable', replicas: 65 },
      { until: 'retrievable', peers: ['nobody'] },
      { until: 'retrievable', replicas: 2, peers: [ann.id] }
    ] as const
    for (const options of wrong) {
      expect(await errorOf(ann.data.add('x', options as never))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        reached: undefined
      })
    }
    const keeps = [
      { peers: [ann.id] },
      { maxBytes: 5 },
      { maxStrangerBytes: -1 },
      { peers: ['x'], maxBytes: 5 },
      { lots: 1 }
    ]
    for (const keep of keeps) {
      const opened = createPeer({ backend: memory(), receipts: { keep } })
      expect(await errorOf(opened)).toMatchObject({ code: 'INVALID_ARGUMENT' })
    }
    const { messages: _messages, ...rest } = memory().capabilities
    const silent = { ...memory(), capabilities: rest, messages: undefined }
    const opened = createPeer({ backend: silent, receipts: { keep: { maxStrangerBytes: 5 } } })
    expect(await errorOf(opened)).toMatchObject({ code: 'UNSUPPORTED' })
  })
})

describe('data.reach', () => {
  it('asks again: those that have it, those that may fetch it, or those that are named', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    const keep = { peers: [ann.id], maxBytes: mebibyte }
    await using ben = await keeper(network, keep)
    const { cid } = await ann.data.add('again', { until: 'retrievable' })
    await using cleo = await keeper(network, keep)
    const ids = async (options: Parameters<Peer['data']['reach']>[1]): Promise<string[]> =>
      (await ann.data.reach(cid, options)).acknowledgements.map(({ peer }) => peer).sort()
    expect(await ids({ fetch: false })).toEqual([ben.id])
    const missing = await errorOf(ann.data.reach(cid, { fetch: false, peers: [cleo.id] }))
    expect(missing).toMatchObject({ code: 'NOT_FOUND', operation: 'data.reach', reached: { reached: 'local' } })
    expect(await pinsOf(cleo)).toEqual([])
    expect(await ids({ peers: [cleo.id] })).toEqual([cleo.id])
    expect(await ids({ replicas: 2, fetch: false })).toEqual([ben.id, cleo.id].sort())
  })

  it('finds out a peer whose store has lost a block', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using ben = await keeper(network, { peers: [ann.id], maxBytes: 8 * mebibyte })
    const { cid } = await ann.data.add(seededBytes(2 * mebibyte, 3), { until: 'retrievable' })
    await ben.data.unpin(cid)
    await until('it is gone', async () => !(await ben.blocks.has(cid)))
    const lost = await errorOf(ann.data.reach(cid, { fetch: false, peers: [ben.id] }))
    expect(lost).toMatchObject({ code: 'NOT_FOUND', reached: { acknowledgements: [] } })
    expect((await ann.data.reach(cid)).acknowledgements).toHaveLength(1)
  })

  it('challenges as many blocks as are wanted', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using _ben = await keeper(network, { peers: [ann.id], maxBytes: 16 * mebibyte })
    const { receipt } = await ann.data.add(seededBytes(7 * mebibyte, 3), { until: 'retrievable', challenge: 3 })
    expect(receipt.acknowledgements[0]).toMatchObject({ blocks: 8, challenged: 3 })
  })
})

describe('a peer that keeps content for others', () => {
  it('keeps nothing unless it says so, and then within its budgets', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using zoe = await createPeer({ backend: memory({ network }) })
    await using _off = await createPeer({ backend: memory({ network }) })
    expect(await ann.data.willing({ within: 100 })).toEqual([])
    const strangers = { maxStrangerBytes: 300_000, maxStrangerBytesEach: 150_000 }
    await using ben = await keeper(network, { peers: [ann.id], maxBytes: mebibyte, ...strangers })
    const freeFor = async (peer: Peer): Promise<unknown> => (await willingFor(peer))[0]
    expect(await freeFor(ann)).toEqual({ peer: ben.id, free: mebibyte, has: false })
    expect(await freeFor(zoe)).toEqual({ peer: ben.id, free: 150_000, has: false })
    const first = await zoe.data.add(seededBytes(100_000, 1), { until: 'retrievable' })
    expect(await freeFor(zoe)).toMatchObject({ free: 150_000 - 100_000 - 256 })
    const second = await errorOf(zoe.data.add(seededBytes(100_000, 2), { until: 'retrievable', timeout: 400 }))
    expect(second).toMatchObject({ code: 'NO_PEERS', reached: { reached: 'local' } })
    expect(await pinsOf(ben)).toEqual([first.cid.toString()])
    await ann.data.add(seededBytes(900_000, 3), { until: 'retrievable' })
    await zoe.data.release(first.cid, { peers: [ben.id] })
    await until('its blocks are gone', async () => !(await ben.blocks.has(first.cid)))
    expect(await freeFor(zoe)).toMatchObject({ free: 150_000 })
  })

  it('never removes what its app has, and forgets what its app unpins', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using ben = await keeper(network, { peers: [ann.id], maxBytes: 16 * mebibyte })
    const peers = [ben.id]
    const bytes = seededBytes(2 * mebibyte, 5)
    const pinned = await ben.data.add(bytes)
    await ann.data.add(bytes, { until: 'retrievable' })
    await ann.data.release(pinned.cid, { peers })
    const unpinned = await ben.data.add(seededBytes(1000, 6), { pin: false })
    await ann.data.add(seededBytes(1000, 6), { until: 'retrievable' })
    await ann.data.release(unpinned.cid, { peers })
    const later = await ann.data.add(seededBytes(2000, 7), { until: 'retrievable' })
    await ben.data.add(seededBytes(2000, 7), { pin: false })
    await ann.data.release(later.cid, { peers })
    const both = await ann.data.add(seededBytes(3000, 8), { until: 'retrievable' })
    await ben.data.pin(both.cid)
    await ann.data.release(both.cid, { peers })
    const free = async (): Promise<number | undefined> => (await ann.data.willing({ within: 50 }))[0]?.free
    await until('ben keeps nothing for ann', async () => (await free()) === 16 * mebibyte)
    for (const { cid } of [pinned, unpinned, later, both]) expect(await ben.data.has(cid)).toBe(true)
    expect(await pinsOf(ben)).toEqual([pinned.cid.toString(), both.cid.toString()])
    const last = await ann.data.add(seededBytes(4000, 9), { until: 'retrievable' })
    await ben.data.unpin(last.cid)
    await until('ben has dropped it', async () => (await free()) === 16 * mebibyte && !(await ben.data.has(last.cid)))
  })

  it('acknowledges in a group of its own', async () => {
    const network = createMemoryNetwork()
    const group = 'library'
    await using ann = await createPeer({ backend: memory({ network }), receipts: { group } })
    const keep = { peers: [ann.id], maxBytes: mebibyte }
    await using _other = await keeper(network, keep)
    expect(await ann.data.willing({ within: 100 })).toEqual([])
    await using ben = await createPeer({ backend: memory({ network }), receipts: { group, keep } })
    expect((await willingFor(ann)).map(({ peer }) => peer)).toEqual([ben.id])
  })
})

describe('verifyAcknowledgement', () => {
  it('refuses what was changed, cut, or signed by somebody else', async () => {
    const network = createMemoryNetwork()
    await using ann = await createPeer({ backend: memory({ network }) })
    await using ben = await keeper(network, { peers: [ann.id], maxBytes: mebibyte })
    const { receipt } = await ann.data.add('signed', { until: 'retrievable' })
    const { encoded } = receipt.acknowledgements[0]!
    expect((await verifyAcknowledgement(encoded)).peer).toBe(ben.id)
    const [version, body, signature] = decode<[number, Uint8Array, Uint8Array]>(encoded)
    const fields = decode<unknown[]>(body)
    const forgeries: Uint8Array[] = [
      new Uint8Array(),
      encoded.subarray(1),
      encode([2, body, signature]),
      new Uint8Array(5000)
    ]
    for (let field = 0; field < fields.length; field++) {
      const changed = [...fields]
      const value = changed[field]
      changed[field] =
        typeof value === 'number'
          ? value + 1
          : value instanceof Uint8Array
            ? value.map((byte) => byte ^ 1)
            : receipt.cid.toV1()
      if (field !== 2) forgeries.push(encode([version, encode(changed), signature]))
    }
    const other = await ann.data.add('other')
    forgeries.push(encode([version, encode(fields.with(2, other.cid)), signature]))
    const mine = new Uint8Array(await ann.identity.sign(new Uint8Array(body)))
    forgeries.push(encode([version, body, mine]))
    for (const forgery of forgeries) {
      expect(await errorOf(verifyAcknowledgement(forgery))).toMatchObject({ code: 'INVALID_CONTENT' })
    }
    expect(await errorOf(verifyAcknowledgement('x' as never))).toMatchObject({ code: 'INVALID_CONTENT' })
  })
})
