import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { seededBytes, temporaryFolder } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { p2pl, type Place, Running, value, values } from './support.ts'

const folder = temporaryFolder()
const files = join(folder, 'files')
const missing = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const helloCid = 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq'

interface Added {
  cid: string
  size: number
  name: string
  kind: string
}

beforeAll(async () => {
  await mkdir(join(files, 'docs'), { recursive: true })
  await writeFile(join(files, 'hello.txt'), 'hello')
  await writeFile(join(files, 'docs', 'data.bin'), seededBytes(3_000_000, 7))
  await writeFile(join(files, '.hidden'), 'not for others')
})

async function placeFor(name: string, env: NodeJS.ProcessEnv = {}): Promise<Place> {
  const dir = join(folder, name)
  await mkdir(dir, { recursive: true })
  return { dir, env }
}

/** The same words on every backend that keeps content. */
function keepsContent(placeOf: () => Place): void {
  it('adds files, a folder and a pipe, and gives them back byte for byte', async () => {
    const place = placeOf()
    const [file, tree] = await values<Added>(place, ['add', join(files, 'hello.txt'), files])
    expect(file).toEqual({ cid: helloCid, size: 5, name: 'hello.txt', kind: 'file' })
    expect(tree).toMatchObject({ name: 'files', kind: 'directory' })
    expect(await value<Added>(place, ['add'], 'hello')).toMatchObject({ cid: helloCid, name: '-' })

    expect(await p2pl(place, ['get', helloCid])).toMatchObject({ code: 0, stdout: 'hello', stderr: '' })
    expect(await p2pl(place, ['get', `${tree?.cid}/hello.txt`])).toMatchObject({ code: 0, stdout: 'hello' })
    const copy = join(place.dir, 'copy')
    expect(await value(place, ['get', String(tree?.cid), '-o', copy])).toEqual({
      folder: copy,
      files: 2,
      bytes: 3_000_005
    })
    expect((await readdir(copy)).toSorted()).toEqual(['docs', 'hello.txt'])
    expect(await readFile(join(copy, 'docs', 'data.bin'))).toEqual(await readFile(join(files, 'docs', 'data.bin')))

    const listed = await values<{ name: string; kind: string }>(place, ['ls', String(tree?.cid)])
    expect(listed.map(({ name, kind }) => `${kind} ${name}`)).toEqual(['directory docs', 'file hello.txt'])
    expect((await p2pl(place, ['ls', `${tree?.cid}/docs`])).stdout).toMatch(/^bafybei\w+ +3000000 {2}data\.bin\n$/)
  })

  it('keeps pins, and lets them go', async () => {
    const place = placeOf()
    const { cid } = await value<Added>(place, ['add', '-'], 'kept')
    const pinned = async (): Promise<string[]> =>
      (await values<{ cid: string }>(place, ['pin', 'ls'])).map((pin) => pin.cid)
    expect(await pinned()).toContain(cid)
    expect(await value(place, ['pin', 'rm', cid])).toEqual({ cid, pinned: false })
    expect(await pinned()).not.toContain(cid)
    expect(await value(place, ['pin', 'add', cid])).toEqual({ cid, pinned: true, recursive: true })
    expect((await p2pl(place, ['pin', 'ls'])).stdout).toContain(`${cid}\n`)
  })
}

describe('content on helia', () => {
  let place: Place
  beforeAll(async () => {
    place = await placeFor('helia')
  })
  keepsContent(() => place)

  it('comes from another peer while that one serves it, without an address on the same machine', async () => {
    const server = new Running(place, 'add', '--stay', files)
    const [cid = ''] = await server.prints(/^bafybei\w+/)
    const address = await server.address()
    // The folder is in use: this peer reads without it.
    expect(await p2pl(place, ['get', `${cid}/hello.txt`])).toMatchObject({ code: 0, stdout: 'hello' })
    // Another user, or another machine.
    const other = await placeFor('other')
    expect(await p2pl(other, ['get', `${cid}/hello.txt`, '--connect', address])).toMatchObject({
      code: 0,
      stdout: 'hello'
    })
    const { self, connections } = await value<{ self: object[]; connections: object[] }>(place, [
      'peers',
      '--timeout',
      '100'
    ])
    expect([self.length, connections.length]).toEqual([1, 1])
    const target = join(other.dir, 'data.bin')
    expect(await value(other, ['get', `${cid}/docs/data.bin`, '-o', other.dir, '--connect', address])).toEqual({
      file: target,
      bytes: 3_000_000
    })
    expect(await readFile(target)).toEqual(await readFile(join(files, 'docs', 'data.bin')))
    // Nothing is written over, unless that is said.
    const again = ['get', helloCid, '-o', target, '--connect', address]
    expect(await p2pl(other, again)).toMatchObject({ code: 2, stderr: expect.stringContaining('--force') as string })
    expect(await p2pl(other, [...again, '--force'])).toMatchObject({ code: 0 })
    expect(await readFile(target, 'utf8')).toBe('hello')

    // Two that both change what is stored: the second one is told who has the folder.
    const refused = await p2pl(place, ['add', join(files, 'hello.txt')])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(
      new RegExp(`another process uses .*process ${server.child.pid} \\(p2pl add\\): end it first, or .* --dir`)
    )
    expect(await server.interrupt()).toBe(0)
    expect(await p2pl(place, ['add', join(files, 'hello.txt')])).toMatchObject({ code: 0 })
  })

  it('is found by its provider record', async () => {
    const { cid } = await value<Added>(place, ['add'], 'to be found')
    expect(await p2pl(place, ['provide', '--once', cid])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(NO_PEERS)') as string
    })
    const server = new Running(place, 'provide', cid)
    await server.prints(/no peer takes the record/, 'stderr')
    const address = await server.address()
    const third = new Running(await placeFor('third'), 'sub', 'anything', '--connect', address)
    await server.prints(new RegExp(`^provided ${cid}$`))
    const asking = await placeFor('asking')
    const own = await value<Added>(asking, ['add', '--provide', '--connect', address], 'provided at once')
    expect(
      await values(await placeFor('fourth'), ['providers', own.cid, '--connect', await third.address()])
    ).toHaveLength(1)
    const found = await values<{ network: string }>(asking, ['providers', cid, '--connect', await third.address()])
    expect(found.map(({ network }) => network)).toEqual(['libp2p'])
    expect(await p2pl(asking, ['providers', missing, '--connect', address])).toMatchObject({ code: 3 })
    expect(await p2pl(place, ['provide', missing])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('LOCKED') as string
    })
    expect(await server.interrupt()).toBe(0)
    expect(await p2pl(place, ['provide', missing])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('p2pl pin add') as string
    })
  })

  it('that no peer has ends with what to do, and leaves nothing behind', async () => {
    const alone = await placeFor('alone')
    const target = join(alone.dir, 'target')
    const result = await p2pl(alone, ['get', missing, '-o', target, '--timeout', '0.5'])
    expect(result).toMatchObject({ code: 1, stdout: '' })
    expect(result.stderr).toMatch(/no peer is connected.*--connect/)
    expect(await readdir(alone.dir)).toEqual(['helia'])
    expect(await p2pl(alone, ['get', 'nonsense'])).toMatchObject({ code: 2 })
    // What is wrong with a target is told before anything is fetched.
    const early = await p2pl(alone, ['get', missing, '-o', join(alone.dir, 'nowhere', 'target')])
    expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no folder') as string })
    expect(await p2pl(alone, ['get', missing, '-o', join(files, 'hello.txt')])).toMatchObject({ code: 2 })
    await mkdir(join(alone.dir, 'links'))
    await symlink('hello.txt', join(alone.dir, 'links', 'link'))
    expect(await p2pl(alone, ['add', join(alone.dir, 'links')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--skip-others') as string
    })
    expect(await p2pl(alone, ['add', '--skip-others', join(alone.dir, 'links')])).toMatchObject({ code: 0 })
    expect(await p2pl(alone, ['add', join(folder, 'nowhere')])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no') as string
    })
  })
})

describe('files of others and of the user', () => {
  let place: Place
  beforeAll(async () => {
    place = await placeFor('names')
  })

  it('keep their lines: a name makes no second one in a list', async () => {
    const tree = join(place.dir, 'tree')
    await mkdir(tree)
    const forged = `a\n${missing}             1  b`
    await writeFile(join(tree, forged), 'x')
    const { cid } = await value<Added>(place, ['add', tree])
    const { stdout } = await p2pl(place, ['ls', cid])
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/ {2}a bafk.* b$/)])
    expect(await values<Added>(place, ['ls', cid])).toMatchObject([{ name: forged }])
  })

  it('stay as they are beside the target of a get, and where links from there lead', async () => {
    const { cid } = await value<Added>(place, ['add', '-'], 'hello')
    for (const name of ['mine', 'linked']) await writeFile(join(place.dir, name), 'of the user')
    const target = join(place.dir, 'target')
    await symlink('linked', `${target}.part`)
    expect(await p2pl(place, ['get', cid, '-o', target])).toMatchObject({ code: 0 })
    expect(await readFile(join(place.dir, 'linked'), 'utf8')).toBe('of the user')
    await writeFile(join(place.dir, 'mine.part'), 'of the user')
    expect(await p2pl(place, ['get', cid, '-o', join(place.dir, 'mine'), '--force'])).toMatchObject({ code: 0 })
    expect(await readFile(join(place.dir, 'mine'), 'utf8')).toBe('hello')
    expect(await readFile(join(place.dir, 'mine.part'), 'utf8')).toBe('of the user')
  })

  it('take no place of a device, with --force neither', async () => {
    const device = join(place.dir, 'device')
    await symlink('/dev/null', device)
    const { code, stderr } = await p2pl(place, ['get', helloCid, '-o', device, '--force'])
    expect([code, stderr]).toEqual([2, expect.stringContaining('is a device or a pipe: leave out -o')])
    expect((await lstat(device)).isSymbolicLink()).toBe(true)
  })
})

describeWithKubo('content on an IPFS daemon', (binary) => {
  let daemon: TestDaemon
  let place: Place
  beforeAll(async () => {
    daemon = await startTestDaemon({ binary })
    place = await placeFor('ipfs-rpc', { P2PL_BACKEND: 'ipfs-rpc', P2PL_BACKEND__OPTIONS__URL: daemon.url })
  })
  afterAll(async () => await daemon.stop())
  keepsContent(() => place)

  it('is the daemon’s own, too', async () => {
    const { cid } = await value<Added>(place, ['add'], 'for ipfs cat')
    expect(await daemon.ipfs('cat', cid)).toBe('for ipfs cat')
    const bench = await p2pl(place, ['bench', '--size', '1', '--messages', '20'])
    expect(bench).toMatchObject({ code: 0, stderr: 'both processes use one daemon: no network lies between them\n' })
    // Two senders on one daemon may lose messages: its README says so.
    expect(bench.stdout).toMatch(/^content .* MB\/s/m)
  })
})

describe('content in memory', () => {
  it('has the same CIDs, and does not outlive the command, which says so', async () => {
    const place = await placeFor('memory', { P2PL_BACKEND: 'memory' })
    const added = await p2pl(place, ['add', join(files, 'hello.txt')])
    expect(added).toMatchObject({ code: 0, stdout: `${helloCid}  hello.txt\n` })
    expect(added.stderr).toContain('does not survive the end of the process')
    expect(await p2pl(place, ['get', helloCid, '--timeout', '0.5'])).toMatchObject({ code: 1, stdout: '' })
    expect(await values(place, ['pin', 'ls'])).toEqual([])
  })
})
