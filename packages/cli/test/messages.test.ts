import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { p2pl, parse, type Place, Running, value, values } from './support.ts'

const folder = temporaryFolder()

async function placeFor(name: string, env: NodeJS.ProcessEnv = {}): Promise<Place> {
  const dir = join(folder, name)
  await mkdir(dir, { recursive: true })
  return { dir, env }
}

describe.each(['helia', 'bittorrent'])('messages on %s', (backend) => {
  it('go from one terminal to another of the same user without an address, in order', async () => {
    const place = await placeFor(`terminals-${backend}`, { P2PL_BACKEND: backend })
    const sub = new Running(place, '--json', 'sub', '-n', '102', 'news', 'weather')
    await sub.prints(/"addresses":\["/, 'stderr')
    expect(await values(place, ['topics'])).toEqual([
      { topic: 'news', pid: sub.child.pid, command: 'sub' },
      { topic: 'weather', pid: sub.child.pid, command: 'sub' }
    ])
    expect(await value(place, ['pub', 'weather', 'sun'])).toEqual({ topic: 'weather', messages: 1, recipients: 1 })
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`)
    expect(await value(place, ['pub', 'news'], `${lines.join('\n')}\n`)).toEqual({ topic: 'news', messages: 100 })
    // The last line of a file may have no end, and a line may be empty.
    expect(await p2pl(place, ['pub', 'weather'], '')).toMatchObject({ code: 0, stdout: 'published 0 messages\n' })
    expect(await p2pl(place, ['pub', 'weather', 'ü'])).toMatchObject({ code: 0, stdout: 'published, recipients: 1\n' })
    expect(await sub.ended()).toBe(0)
    const heard = parse(sub.stdout.join('\n')) as { topic: string; payload: string; sequence: number; sender: string }[]
    expect(heard.filter(({ topic }) => topic === 'news').map(({ payload }) => payload)).toEqual(lines)
    expect(heard.filter(({ topic }) => topic === 'weather').map(({ payload }) => payload)).toEqual(['sun', 'ü'])
    expect(heard.every(({ sender }) => sender.startsWith('12D3KooW'))).toBe(true)
    // A peer that has ended is not offered to others.
    expect(await readdir(join(place.dir, 'running'))).toEqual([])
  })
})

describe('messages', () => {
  it('of other machines come by an address; a topic tells who is on it', async () => {
    const sub = new Running(await placeFor('one'), 'sub', '--sender', 'news')
    const address = await sub.address()
    const other = await placeFor('two')
    expect(await value<{ connected: boolean }>(other, ['connect', address])).toMatchObject({ address, connected: true })
    expect(await p2pl(other, ['pub', 'news', 'hello', '--connect', address])).toMatchObject({ code: 0 })
    await sub.prints(/^12D3KooW\w+: hello$/)
    // A line break begins no line of another sender.
    expect(await p2pl(other, ['pub', 'news', 'one\n12D3KooWother: two', '--connect', address])).toMatchObject({
      code: 0
    })
    await sub.prints(/^ {2}12D3KooWother: two$/)
    const [{ peers = [] } = {}] = await values<{ peers?: object[] }>(other, [
      'topics',
      'news',
      '--connect',
      address,
      '--timeout',
      '100'
    ])
    expect(peers).toHaveLength(1)
    expect(await sub.interrupt()).toBe(0)
  })

  it('that nobody hears, and addresses where nobody is, end with what to do', async () => {
    const place = await placeFor('nobody')
    const nowhere = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWHXKrM8xiUUcT2ctERhk6CgqHXuS3aSnSK8UeNss4faNT'
    expect(await p2pl(place, ['pub', 'news', 'hello', '--timeout', '0.3'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(NO_PEERS)') as string
    })
    expect(await p2pl(place, ['pub', 'news', 'hello', '--recipients', '0'])).toMatchObject({ code: 0 })
    expect(await p2pl(place, ['connect', nowhere])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('(UNREACHABLE)') as string
    })
    expect(await p2pl(place, ['connect', 'nonsense'])).toMatchObject({ code: 2 })
    expect(await p2pl(place, ['peers', '--connect', '[nonsense'])).toMatchObject({ code: 2 })
    // A warning is enough for a command that can go on without it.
    const peers = await p2pl(place, ['peers', '--connect', nowhere])
    expect(peers).toMatchObject({ code: 0, stderr: expect.stringContaining('warning: ') as string })
    expect(peers.stdout).toContain('connected  0')
  })

  it('of a process that was killed leave nothing that hinders others', async () => {
    const place = await placeFor('killed')
    const sub = new Running(place, 'sub', 'news')
    await sub.address()
    sub.child.kill('SIGKILL')
    await sub.ended()
    await writeFile(join(place.dir, 'running', '1.json'), 'not JSON')
    expect(await readdir(join(place.dir, 'running'))).toHaveLength(2)
    expect(await values(place, ['topics'])).toEqual([])
    const { stdout, stderr } = await p2pl(place, ['topics'])
    expect([stdout, stderr]).toEqual(['', 'none of your terminals is on a topic: "p2pl sub <topic>" joins one\n'])
    expect(await readdir(join(place.dir, 'running'))).toEqual(['1.json'])
  })

  it('come without a folder for others to find the peer, too', async () => {
    const place = await placeFor('no-folder')
    await writeFile(join(place.dir, 'file'), '')
    const sub = new Running({ ...place, env: { P2PL_DIR: join(place.dir, 'file', 'below') } }, 'sub', 'news')
    await sub.prints(/^warning: your other terminals do not find this peer/, 'stderr')
    const address = await sub.address()
    expect(await p2pl(place, ['pub', 'news', 'hello', '--connect', address])).toMatchObject({ code: 0 })
    await sub.prints(/^hello$/)
  })

  it('in memory reach no other process, which the command says', async () => {
    const place = await placeFor('memory', { P2PL_BACKEND: 'memory' })
    expect(await p2pl(place, ['pub', 'news', 'hello', '--timeout', '0.3'])).toMatchObject({ code: 1 })
    expect(await value<{ connections: [] }>(place, ['peers'])).toMatchObject({ connections: [] })
    expect(await p2pl(place, ['bench', '--size', '1'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('choose another one with --backend') as string
    })
  })
})

describe('a room', () => {
  it('shows who is here, carries lines both ways, and tells latecomers what was said', async () => {
    const place = await placeFor('room')
    const ann = new Running(place, 'room', 'tools', '--private', '--name', 'Ann')
    const [, secret = ''] = await ann.prints(/p2pl room tools --secret (\S+)$/, 'stderr')
    const ben = new Running(place, 'room', 'tools', '--secret', secret, '--name', 'Ben')
    await ann.prints(/^\* Ben is here$/)
    await ben.prints(/^\* Ann is here$/)
    ann.type('who has a drill?')
    await ben.prints(/^Ann: who has a drill\?$/)
    ben.type('I have')
    await ann.prints(/^Ben: I have$/)
    // A pipe says its part, and leaves.
    expect(
      await p2pl(place, ['room', 'tools', '--secret', secret, '--name', 'Cleo', '--timeout', '100'], 'me too\n')
    ).toMatchObject({
      code: 0
    })
    await ann.prints(/^Cleo: me too$/)
    const dora = new Running(place, '--json', 'room', 'tools', '--secret', secret, '--name', 'Dora')
    await dora.prints(/"payload":"who has a drill\?".*"history":true/)
    expect(await ben.interrupt()).toBe(0)
    await ann.prints(/^\* Ben has left$/)
    ann.child.stdin.end()
    expect(await ann.ended()).toBe(0)
  })
})

describe('the bench', () => {
  it('sends content and messages to a second process, and gives figures', async () => {
    const place = await placeFor('bench')
    const found = await value<{ content: { bytes: number; ms: number }; messages: { sent: number; received: number } }>(
      place,
      ['bench', '--size', '4', '--messages', '500']
    )
    expect(found).toMatchObject({
      backend: 'helia',
      content: { bytes: 4_000_000 },
      messages: { sent: 500, received: 500 }
    })
    expect(found.content.ms).toBeGreaterThan(0)
  })
})

describe('a torrent', () => {
  it('is made of stored content, and taken in by another peer', async () => {
    const env = { P2PL_BACKEND: 'bittorrent' }
    const [place, other] = [await placeFor('seeder', env), await placeFor('leecher', env)]
    const { cid } = await value<{ cid: string }>(place, ['add'], 'for everybody')
    const seeder = new Running(place, 'magnet', '--stay', cid)
    const [link] = await seeder.prints(/^magnet:\?xt=urn:btih:\S+$/)
    const imported = await value<{ cid: string; size: number }>(other, [
      'magnet',
      link,
      '--connect',
      await seeder.address()
    ])
    expect(imported).toMatchObject({ cid, size: 13 })
    expect(await p2pl(other, ['get', cid])).toMatchObject({ code: 0, stdout: 'for everybody' })
    expect(await p2pl(await placeFor('no-torrents'), ['magnet', cid])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('use --backend bittorrent (UNSUPPORTED)') as string
    })
    expect(await seeder.interrupt()).toBe(0)
  })
})
