import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isP2plError } from '@p2pl/core/backend'
import { seededBytes, temporaryFolder, until } from '@p2pl/tooling-vitest'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import { blockOf, collect, listen, make, pair, ready, say, started, textBlock } from './helper.ts'
import { spawnScript } from './process.ts'

const code = (expected: Parameters<typeof isP2plError>[1]) => (error: unknown) => isP2plError(error, expected)
const folder = temporaryFolder('p2pl-helia-')

describe('lifecycle', () => {
  test('start and stop may be called again, and at the same time', async () => {
    const node = make()
    await Promise.all([node.start(), node.start()])
    await node.start()
    const { id } = node.self()
    await Promise.all([node.stop(), node.stop()])
    await node.stop()
    await node.start()
    expect(node.self().id).toBe(id)
    await Promise.all([node.stop(), node.start()])
    expect(() => node.self()).not.toThrow()
  })

  test('nothing works before start and after stop', async () => {
    const node = make()
    const { cid } = await textBlock('x')
    const refusedAll = async (): Promise<void> => {
      for (const call of [
        () => node.blocks.get(cid),
        () => node.blocks.has(cid),
        () => collect(node.blocks.pins()),
        () => node.messages.publish('t', new Uint8Array()),
        () => listen(node, 't'),
        () => node.routing.connections(),
        () => collect(node.routing.findProviders(cid))
      ])
        await expect(call()).rejects.toSatisfy(code('NOT_RUNNING'))
      expect(() => node.self()).toThrow(/start\(\)/)
    }
    await refusedAll()
    await node.start()
    await node.stop()
    await refusedAll()
  })

  test('an aborted start leaves nothing behind', async () => {
    const dir = join(folder, 'aborted')
    const node = make({ dir })
    const controller = new AbortController()
    const starting = node.start({ signal: controller.signal })
    controller.abort()
    await expect(starting).rejects.toSatisfy(code('ABORTED'))
    // The folder is free.
    const next = await started({ dir })
    expect(next.self().addresses).toHaveLength(1)
    await expect(node.start({ signal: controller.signal })).rejects.toSatisfy(code('ABORTED'))
  })

  test('a port that is taken is named, and the node can be started when it is free', async () => {
    const dir = join(folder, 'port')
    const first = await started()
    const addresses = first.self().addresses.map((address) => address.split('/p2p/')[0] ?? '')
    const second = make({ listen: addresses, dir })
    await expect(second.start()).rejects.toSatisfy(
      (error) => isP2plError(error, 'LOCKED') && error.message.includes(addresses[0] ?? 'nothing')
    )
    await first.stop()
    await second.start()
    expect(second.self().addresses[0]).toContain(addresses[0])
  })

  test('the process ends by itself after stop', async () => {
    const remote = await spawnScript('node.process.ts', '{}')
    await remote.ask('start')
    await remote.ask('stop')
    const ended = new Promise((resolve) => void remote.child.once('exit', resolve))
    remote.child.disconnect()
    await ended
  })
})

describe('a folder', () => {
  test('keeps content, pins and peer id', async () => {
    const dir = join(folder, 'kept')
    const block = await blockOf(seededBytes(10_000, 2))
    const first = await started({ dir })
    const { id } = first.self()
    await first.blocks.put(block)
    await first.blocks.pin(block.cid)
    await first.stop()
    const second = await started({ dir, durability: 'power' })
    expect(second.self().id).toBe(id)
    expect(await second.blocks.get(block.cid, { local: true })).toEqual(block.bytes)
    expect(await collect(second.blocks.pins())).toMatchObject([{ recursive: true }])
    await expect(second.blocks.delete(block.cid)).rejects.toSatisfy(code('PINNED'))
  })

  test('is for one at a time, in this process and in others', async () => {
    const dir = join(folder, 'locked')
    const remote = await spawnScript('node.process.ts', JSON.stringify({ dir }))
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

  test('loses nothing that was acknowledged when the process is killed', async () => {
    const dir = join(folder, 'killed')
    const acknowledged: string[] = []
    let id: string | undefined
    for (let round = 0; round < 3; round++) {
      const remote = await spawnScript('node.process.ts', JSON.stringify({ dir }))
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
    expect(node.self().id).toBe(id)
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
      await expect(stranger.routing.connect(a.self(), { signal: AbortSignal.timeout(20_000) })).rejects.toSatisfy(
        code('UNREACHABLE')
      )
    }
  })

  test('takes the key from a file', async () => {
    const path = join(folder, 'swarm.key')
    writeFileSync(path, `/key/swarm/psk/1.0.0/\n/base16/\n${Buffer.from(psk).toString('hex')}\n`)
    const a = await started({ psk })
    const b = await started({ psk: path })
    await b.routing.connect(a.self())
    await expect(make({ psk: join(folder, 'missing.key') }).start()).rejects.toSatisfy(code('INVALID_ARGUMENT'))
  })
})

describe('websockets', () => {
  test('carry messages and blocks, next to TCP', async () => {
    const options = { listen: ['/ip4/127.0.0.1/tcp/0/ws'] }
    const [a, b] = await pair(options)
    expect(a.self().addresses[0]).toContain('/ws/')
    const inbox = await listen(b, 'ws')
    await ready(a, 'ws')
    await say(a, 'ws', 'over a websocket')
    await until('the message', () => inbox.texts.length === 1)
    const block = await textBlock('over a websocket')
    await a.blocks.put(block)
    expect(await b.blocks.get(block.cid)).toEqual(block.bytes)
    const both = await started({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] })
    expect(both.self().addresses).toHaveLength(2)
  })
})
