import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createPeer } from '@p2pl/core'
import { isP2plError } from '@p2pl/core/backend'
import { freePort, seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { blockOf, collect, listen, make, pair, put, ready, say, selfOf, started, textBlock } from './helper.ts'
import { spawnScript } from './process.ts'

const code = (expected: Parameters<typeof isP2plError>[1]) => (error: unknown) => isP2plError(error, expected)
const folder = temporaryFolder('p2pl-helia-')

describe('lifecycle', () => {
  test('an aborted start leaves nothing behind', async () => {
    const dir = join(folder, 'aborted')
    const node = make({ dir })
    const controller = new AbortController()
    const starting = node.start({ signal: controller.signal })
    controller.abort()
    await expect(starting).rejects.toSatisfy(code('ABORTED'))
    await node.stop()
    // The folder is free.
    const next = await started({ dir })
    expect(selfOf(next).addresses).toHaveLength(1)
  })

  test('a socket that has never sent anything does not hold up the stop', async () => {
    const node = await started({ listen: ['/ip4/127.0.0.1/tcp/0/ws'] })
    const port = Number(/tcp\/(\d+)/.exec(selfOf(node).addresses[0] ?? '')?.[1])
    const silent = connect(port, '127.0.0.1')
    await once(silent, 'connect')
    const closed = once(silent, 'close')
    await node.stop()
    await closed
  })

  test('a port that is taken is named, and the node can be started when it is free', async () => {
    const dir = join(folder, 'port')
    const addresses = [`/ip4/127.0.0.1/tcp/${await freePort()}`]
    const first = await started({ listen: addresses })
    const second = make({ listen: addresses, dir })
    await expect(second.start()).rejects.toSatisfy(
      (error) => isP2plError(error, 'LOCKED') && error.message.includes(addresses[0] ?? 'nothing')
    )
    await first.stop()
    await second.start()
    expect(selfOf(second).addresses[0]).toContain(addresses[0])
  })

  test('Bun is refused with a sentence, before anything is opened', async () => {
    const { versions } = process
    Object.defineProperty(process, 'versions', { value: { ...versions, bun: '1.4.5' }, configurable: true })
    try {
      await expect(make().start()).rejects.toSatisfy(
        (error) => isP2plError(error, 'UNSUPPORTED') && /Bun.*Use Node/.test(error.message)
      )
    } finally {
      Object.defineProperty(process, 'versions', { value: versions, configurable: true })
    }
  })

  test('the process ends by itself after stop', async () => {
    const remote = spawnScript('node.process.ts', '{}')
    await remote.ask('start')
    await remote.ask('stop')
    const ended = new Promise((resolve) => void remote.child.once('exit', resolve))
    remote.child.disconnect()
    await ended
  })
})

describe('a folder', () => {
  test('keeps secrets of the peer beside its content; a node without one has no place for them', async () => {
    const dir = join(folder, 'secrets')
    const first = await started({ dir })
    expect(await first.secrets?.get('seed')).toBeUndefined()
    await first.secrets?.set('seed', Uint8Array.of(1, 2, 3))
    await first.stop()
    const second = await started({ dir })
    expect(await second.secrets?.get('seed')).toEqual(Uint8Array.of(1, 2, 3))
    expect((await started()).secrets).toBeUndefined()
  })

  test('keeps the id of the peer: it signs with the same key after a restart', async () => {
    const dir = join(folder, 'identity')
    const ids: string[] = []
    for (let round = 0; round < 2; round++) {
      const peer = await createPeer({ backend: make({ dir }) })
      ids.push(peer.id)
      await peer.stop()
    }
    expect(new Set(ids).size).toBe(1)
  })

  test('keeps content, pins and peer id', async () => {
    const dir = join(folder, 'kept')
    const block = await blockOf(seededBytes(10_000, 2))
    const first = await started({ dir })
    const { id } = selfOf(first)
    await put(first, block)
    await first.blocks.pin(block.cid)
    await first.stop()
    const second = await started({ dir, durability: 'power' })
    expect(selfOf(second).id).toBe(id)
    expect(await second.blocks.get(block.cid, { local: true })).toEqual(block.bytes)
    expect(await collect(second.blocks.pins())).toMatchObject([{ recursive: true }])
    await expect(second.blocks.delete(block.cid)).rejects.toSatisfy(code('PINNED'))
  })

  test('is for one at a time, in this process and in others', async () => {
    const dir = join(folder, 'locked')
    const remote = spawnScript('node.process.ts', JSON.stringify({ dir }))
    await remote.ask('start')
    const second = make({ dir })
    await expect(second.start()).rejects.toSatisfy(
      (error) => isP2plError(error, 'LOCKED') && error.message.includes(dir)
    )
    await remote.ask('stop')
    await second.start()
    await expect(make({ dir }).start()).rejects.toSatisfy(code('LOCKED'))
  })

  test('that is a file is refused with its path', async () => {
    const dir = join(folder, 'file')
    mkdirSync(folder, { recursive: true })
    writeFileSync(dir, 'not a folder')
    await expect(make({ dir }).start()).rejects.toSatisfy(code('STORAGE'))
  })

  test('with files of something else is refused and left as it is', async () => {
    const dir = join(folder, 'foreign')
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'letter.txt'), 'x')
    await expect(make({ dir }).start()).rejects.toSatisfy(
      (error) => isP2plError(error, 'INVALID_ARGUMENT') && error.message.includes('letter.txt')
    )
    expect(readdirSync(dir)).toEqual(['letter.txt'])
  })

  test('loses nothing that was acknowledged when the process is killed', async () => {
    const dir = join(folder, 'killed')
    const acknowledged: string[] = []
    let id: string | undefined
    for (let round = 0; round < 3; round++) {
      const remote = spawnScript('node.process.ts', JSON.stringify({ dir }))
      const self = await remote.ask<{ id: string }>('start')
      id ??= self.id
      expect(self.id).toBe(id)
      for (let i = 0; i < 20; i++)
        acknowledged.push(await remote.ask<string>('put', seededBytes(5_000, round * 100 + i)))
      await remote.ask('pin', acknowledged.at(-1))
      // In the middle of writes that nobody has acknowledged.
      const writing = remote.ask('putMany', 1_000, 5_000).catch(() => {})
      await remote.kill()
      await writing
    }
    const node = await started({ dir })
    expect(selfOf(node).id).toBe(id)
    for (const cid of acknowledged) expect(await node.blocks.has(CID.parse(cid))).toBe(true)
    expect(await collect(node.blocks.pins())).toHaveLength(3)
  })
})

describe('a private network', () => {
  const psk = seededBytes(32, 11)

  test('joins those with the key and nobody else', async () => {
    const [a, b] = await pair({ psk })
    const inbox = await listen(b, 'private')
    await ready(a, 'private')
    await say(a, 'private', 'among us')
    await until('the message', () => inbox.texts.length === 1)
    for (const options of [{}, { psk: seededBytes(32, 12) }]) {
      const stranger = await started(options)
      await expect(stranger.routing.connect(selfOf(a), { signal: AbortSignal.timeout(100_000) })).rejects.toSatisfy(
        code('UNREACHABLE')
      )
    }
  })

  test('takes the key from a file', async () => {
    const path = join(folder, 'swarm.key')
    writeFileSync(path, `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(psk).toString('hex')}\n`)
    const a = await started({ psk })
    const b = await started({ psk: path })
    await b.routing.connect(selfOf(a))
    await expect(make({ psk: join(folder, 'missing.key') }).start()).rejects.toSatisfy(code('INVALID_ARGUMENT'))
  })
})

describe('websockets', () => {
  test('carry messages and blocks, next to TCP', async () => {
    const options = { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }
    const [a, b] = await pair(options)
    expect(selfOf(a).addresses[0]).toContain('/ws/')
    const inbox = await listen(b, 'ws')
    await ready(a, 'ws')
    await say(a, 'ws', 'over a websocket')
    await until('the message', () => inbox.texts.length === 1)
    const block = await textBlock('over a websocket')
    await put(a, block)
    expect(await b.blocks.get(block.cid)).toEqual(block.bytes)
    const both = await started({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
    expect(selfOf(both).addresses).toHaveLength(2)
  })

  test('of strangers that say nothing make room for others, the oldest first', async () => {
    const options = { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }
    const [node, other] = [await started(options), await started(options)]
    const port = Number(/tcp\/(\d+)/.exec(selfOf(node).addresses[0] ?? '')?.[1])
    const gone: number[] = []
    for (let i = 0; i < 300; i++) {
      const silent = connect(port, '127.0.0.1')
      silent.once('close', () => gone.push(i))
      await once(silent, 'connect')
    }
    await until('the oldest are gone', () => gone.length === 44)
    // In which order this side hears of it says nothing.
    expect(gone.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 44 }, (_, i) => i))
    await other.routing.connect(selfOf(node))
    expect(await other.routing.connections()).toHaveLength(1)
  })
})
