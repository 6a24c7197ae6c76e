import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { knownAdapters } from '../src/adapters.ts'
import { createBackends, loadConfig, type LoadOptions, type Placement } from '../src/index.ts'
import { adapterSource, folderWith } from './support.ts'

const module = '{"type":"module"}'

describe('the placement', () => {
  const place = (use: string, options: Record<string, unknown>, placement: Placement): unknown =>
    knownAdapters[use]?.place?.(options, placement)

  it('reaches an embedded node, under its options, but listens where it is told', () => {
    const placement = { dir: '/d', durability: 'power', listen: ['/a'] } as const
    expect(place('helia', {}, placement)).toEqual(placement)
    expect(place('helia', { dir: '/own', listen: [], mdns: true }, placement)).toEqual({
      ...placement,
      dir: '/own',
      mdns: true
    })
    expect(place('helia', { mdns: true }, {})).toEqual({ mdns: true })
    expect(place('helia', {}, { durability: 'power' })).toEqual({})
  })

  it('reaches a daemon of our own, and no other', () => {
    expect(place('ipfs-rpc', { url: 'x' }, { dir: '/d', listen: ['/a'] })).toEqual({ url: 'x' })
    expect(place('ipfs-rpc', { daemon: { profile: 'lan' } }, { dir: '/d', listen: ['/a'] })).toEqual({
      daemon: { repo: '/d', profile: 'lan', listen: ['/a'] }
    })
  })

  it('gives two backends a folder each, and leaves what keeps nothing alone', async () => {
    const dir = folderWith()
    const config = await loadConfig({ file: false, env: { P2PL_MESSAGES: 'memory', P2PL_DATA: 'helia' } })
    const made = await createBackends(config, { dir })
    if (!('data' in made)) throw new Error('expected two backends')
    await made.data.start()
    const id = made.data.self()[0]?.id
    await made.data.stop()
    expect(readdirSync(dir)).toEqual(['data'])
    const again = await createBackends(config, { dir })
    if (!('data' in again)) throw new Error('expected two backends')
    await again.data.start()
    expect(again.data.self()[0]?.id).toBe(id)
    await again.data.stop()
  })
})

describe('the placement of an adapter of others', () => {
  const placement = { dir: '/d', durability: 'power', listen: ['/a'] } as const
  const given = async (source: string, options: object, placed: Placement): Promise<[unknown, string[]]> => {
    const cwd = folderWith({ 'package.json': module, 'mine.js': source })
    const warnings: string[] = []
    const backend = { use: './mine.js', options: { ...options } }
    const config = await loadConfig({ cwd, env: {}, overrides: { backend } })
    const made = await createBackends(config, { ...placed, onWarning: (message) => warnings.push(message) })
    if (!('backend' in made)) throw new Error('expected one backend')
    return [JSON.parse(made.backend.self()[0]?.addresses[0] as string), warnings]
  }
  const declaring = (words: string): string => `${adapterSource('free')}export const placement = ${words}\n`
  const all = declaring("['dir', 'durability', 'listen']")

  it('reaches the options that it declares, under those of the configuration, but it listens where it is told', async () => {
    expect(await given(all, { a: 1 }, placement)).toEqual([{ a: 1, ...placement }, []])
    expect(await given(all, { dir: '/own', listen: ['/b'] }, placement)).toEqual([
      { dir: '/own', durability: 'power', listen: ['/a'] },
      []
    ])
    expect(await given(all, { a: 1 }, {})).toEqual([{ a: 1 }, []])
  })

  it('is not handed to one that does not declare it, and that is said', async () => {
    expect(await given(declaring("['dir']"), { a: 1 }, placement)).toEqual([
      { a: 1, dir: '/d' },
      ['"mine.js" takes no option "listen": it listens where its own options say']
    ])
    expect(await given(adapterSource('free'), {}, placement)).toEqual([
      {},
      [
        '"mine.js" takes no option "dir": it stores its content where its own options say',
        '"mine.js" takes no option "listen": it listens where its own options say'
      ]
    ])
    expect(await given(adapterSource('free'), { dir: '/own', listen: ['/b'] }, placement)).toEqual([
      { dir: '/own', listen: ['/b'] },
      []
    ])
  })

  it.each(["'dir'", "['folder']", '[1]', '{}'])('is refused where it is declared as %s', async (declared) => {
    await expect(given(declaring(declared), {}, placement)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: '"placement" of "mine.js" must be a list of dir, durability, listen: the options that it takes'
    })
  })
})

describe('durability that a backend does not have', () => {
  const storing = (persistence: string): string =>
    adapterSource('store').replace("{ runtimes: ['node'] }", `{ blocks: { persistence: '${persistence}' } }`)
  const told = async (overrides: LoadOptions['overrides'], placement: Placement, source = ''): Promise<string[]> => {
    const cwd = folderWith({ 'package.json': module, 'mine.js': source })
    const warnings: string[] = []
    const config = await loadConfig({ cwd, env: {}, overrides })
    await createBackends(config, { ...placement, onWarning: (message) => warnings.push(message) })
    return warnings.filter((text) => text.startsWith('what '))
  }

  it('is said of a backend that keeps nothing', async () => {
    const nothing = ['what "memory" stores does not survive the end of the process']
    expect(await told({ backend: 'memory' }, { dir: folderWith() })).toEqual(nothing)
    expect(await told({ backend: 'memory' }, { durability: 'power' })).toEqual(nothing)
    expect(await told({ backend: 'helia' }, { durability: 'process' })).toHaveLength(1)
    expect(await told({ backend: ['helia', 'memory'] }, { dir: folderWith() })).toEqual(nothing)
    expect(await told({ backend: 'memory' }, {})).toEqual([])
  })

  it('is said of a backend that keeps it less well', async () => {
    const lost = ['what "mine.js" stores may not survive a loss of power']
    expect(await told({ backend: './mine.js' }, { durability: 'power' }, storing('process'))).toEqual(lost)
    expect(await told({ backend: './mine.js' }, { durability: 'process' }, storing('process'))).toEqual([])
    expect(await told({ backend: './mine.js' }, { durability: 'power' }, storing('power'))).toEqual([])
    const daemon = ['what "ipfs-rpc" stores may not survive a loss of power']
    expect(await told({ backend: 'ipfs-rpc' }, { durability: 'power' })).toEqual(daemon)
  })

  it('does not matter where no content is stored', async () => {
    expect(await told({ messages: 'memory', data: 'helia' }, { dir: folderWith(), durability: 'power' })).toEqual([])
    expect(await told({ backend: './mine.js' }, { durability: 'power' }, adapterSource('messages'))).toEqual([])
  })
})
