import { chmod, mkdir, utimes, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { freePort, temporaryFolder } from '@p2pl/tooling-vitest'
import { describeOnDisks, onDisk } from '@p2pl/tooling-vitest/disks'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { p2pl, parse, type Place, Running } from './support.ts'

interface Check {
  name: string
  status: 'ok' | 'warn' | 'fail'
  message: string
  fix?: string
}

const folder = temporaryFolder()
const dead = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWHXKrM8xiUUcT2ctERhk6CgqHXuS3aSnSK8UeNss4faNT'

async function placeFor(name: string, env: NodeJS.ProcessEnv = {}): Promise<Place> {
  const dir = join(folder, name)
  await mkdir(dir, { recursive: true })
  return { dir, env }
}

/** What the doctor says, and that its exit code fits. */
async function examine(place: Place, ...args: string[]): Promise<Check[]> {
  const { code, stdout, stderr } = await p2pl(place, ['doctor', '--json', ...args])
  const checks = parse(stdout) as Check[]
  expect(code, stdout + stderr).toBe(checks.some(({ status }) => status === 'fail') ? 1 : 0)
  return checks
}

/** The one fault. */
async function faultOf(place: Place, ...args: string[]): Promise<Check | undefined> {
  const faults = (await examine(place, ...args)).filter(({ status }) => status === 'fail')
  expect(faults.map(({ name, message }) => `${name}: ${message}`)).toHaveLength(1)
  return faults[0]
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

/** A server whose clock differs from ours by so many milliseconds. */
async function serverWithClock(offset: number): Promise<string> {
  const server = createHttpServer((_, response) => {
    response.sendDate = false
    response.setHeader('date', new Date(Date.now() + offset).toUTCString())
    response.end()
  })
  return `http://127.0.0.1:${await listening(server)}/`
}

const saying = (text: string | RegExp): unknown =>
  (typeof text === 'string' ? expect.stringContaining(text) : expect.stringMatching(text)) as unknown

describe('the doctor', () => {
  it('finds nothing wrong with a peer that has another one; alone, it says how to find one', async () => {
    const place = await placeFor('well')
    const alone = await examine(place)
    expect(alone.filter(({ status }) => status !== 'ok')).toMatchObject([
      { name: 'peers', status: 'warn', message: saying('no peer'), fix: saying('--connect') }
    ])
    const other = new Running(place, 'sub', 'anything')
    await other.address()
    const checks = await examine(place, '--timeout', '100', '--time-from', await serverWithClock(0))
    expect(checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'runtime ok',
      'configuration ok',
      'disk ok',
      'clock ok',
      'backend ok',
      'start ok',
      'peers ok'
    ])
  })

  it('no peers: names those that do not answer', async () => {
    expect(await faultOf(await placeFor('no-peers'), '--connect', dead)).toMatchObject({
      name: 'peers',
      message: saying('not one of those that were named'),
      fix: saying('addresses')
    })
  })

  it('bootstrap dead: names the address', async () => {
    const place = await placeFor('bootstrap', { P2PL_BACKEND__OPTIONS__BOOTSTRAP: JSON.stringify([dead]) })
    const [bootstrap, peers] = (await examine(place)).filter(({ status }) => status === 'fail')
    expect(bootstrap).toMatchObject({ name: 'bootstrap', message: saying(dead), fix: saying('start that peer') })
    expect(peers).toMatchObject({ name: 'peers' })
  })

  it('port taken: names the address and another choice', async () => {
    const port = await listening(createServer())
    expect(await faultOf(await placeFor('port'), '--listen', `/ip4/127.0.0.1/tcp/${port}`)).toMatchObject({
      name: 'port',
      message: saying(`/tcp/${port}`),
      fix: saying('port 0')
    })
    const bittorrent = await placeFor('port', { P2PL_BACKEND: 'bittorrent' })
    expect(await faultOf(bittorrent, '--listen', `127.0.0.1:${port}`)).toMatchObject({
      name: 'port',
      message: saying(String(port)),
      fix: saying('port 0')
    })
  })

  it('adapter misspelt, or not installed: names the one that was meant, or what to install', async () => {
    expect(await faultOf(await placeFor('misspelt'), '--backend', 'heila')).toMatchObject({
      name: 'backend',
      message: saying('Did you mean "helia"?')
    })
    expect(await faultOf(await placeFor('absent'), '--backend', 'p2pl-by-carrier-pigeon')).toMatchObject({
      name: 'backend',
      message: saying('is not installed'),
      fix: saying('install it')
    })
  })

  it('configuration wrong: names file, key and the right one', async () => {
    const place = await placeFor('configuration')
    await writeFile(join(place.dir, 'p2pl.config.yaml'), 'retry: { atempts: 5 }\n')
    expect(await faultOf(place)).toMatchObject({
      name: 'configuration',
      message: saying(/p2pl\.config\.yaml: retry\.atempts.*"attempts"/),
      fix: saying('correct')
    })
    expect(
      await faultOf(
        await placeFor('options'),
        '--config',
        await optionsFile('{"backend":{"use":"helia","options":{"dri":"x"}}}')
      )
    ).toMatchObject({ name: 'backend', message: saying('dri') })
  })

  async function optionsFile(text: string): Promise<string> {
    const file = join(folder, 'options.json')
    await writeFile(file, text)
    return file
  }

  it('clock far off: says by how much, and whose clock it was compared with', async () => {
    const env = { P2PL_BACKEND: 'memory' }
    const hour = 3_600_000
    const [behind, ahead, nearly] = [
      await serverWithClock(3 * hour),
      await serverWithClock(-960 * hour),
      await serverWithClock(-hour / 30)
    ]
    // Without any other clock, files that were written before tell that it went back.
    const written = await placeFor('written', env)
    await mkdir(join(written.dir, 'memory'))
    await writeFile(join(written.dir, 'memory', 'record'), '')
    await utimes(join(written.dir, 'memory', 'record'), new Date(), new Date(Date.now() + 72 * hour))
    const place = await placeFor('clock', env)
    const [first, second, third, last] = await Promise.all([
      faultOf(place, '--time-from', behind),
      faultOf(place, '--time-from', ahead),
      examine(place, '--time-from', nearly),
      faultOf(written)
    ])
    expect(first).toMatchObject({
      name: 'clock',
      message: `the clock is 3 hours behind, by the answer of ${new URL(behind).host}`,
      fix: saying('set-ntp')
    })
    expect(second).toMatchObject({ name: 'clock', message: saying('40 days ahead') })
    expect(third.find(({ name }) => name === 'clock')).toMatchObject({
      status: 'warn',
      message: saying('2 minutes ahead')
    })
    expect(last).toMatchObject({ name: 'clock', message: saying(/3 days behind, by the time of .*record/) })
  })

  it('folder locked: names the process that has it', async () => {
    const place = await placeFor('locked')
    await writeFile(join(place.dir, 'file'), 'x')
    const other = new Running(place, 'add', '--stay', 'file')
    await other.address()
    expect(await faultOf(place)).toMatchObject({
      name: 'folder',
      message: saying(`process ${other.child.pid} (p2pl add)`),
      fix: saying('end it first')
    })
  })

  it('folder that is a file: names it', async () => {
    const { dir } = await placeFor('file')
    await writeFile(join(dir, 'file'), '')
    const place = { dir, env: { P2PL_DIR: join(dir, 'file', 'below'), P2PL_BACKEND: 'memory' } }
    expect(await faultOf(place)).toMatchObject({ name: 'folder', message: saying('is a file'), fix: saying('--dir') })
    const { stdout } = await p2pl(place, ['doctor'])
    expect(stdout).toMatch(/^✓ runtime {7}Node \d[^]*\n✗ folder {8}.*\n {16}→ choose a folder with --dir\n/)
  })

  it('folder not writable: names it, and what to do', async () => {
    const place = await placeFor('read-only', { P2PL_BACKEND: 'memory' })
    await chmod(folder, 0o755)
    await chmod(place.dir, 0o555)
    // Root may write everywhere.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined
    expect(await faultOf({ ...place, uid })).toMatchObject({
      name: 'folder',
      message: saying(place.dir),
      fix: saying('--dir')
    })
  })
})

describeOnDisks('the doctor on a disk of its own', () => {
  it('disk full: names the folder and what to do', async () => {
    const script = new URL('full-disk.process.ts', import.meta.url).pathname
    const checks = await onDisk<Check[]>(script, { size: '32m' })
    expect(checks.filter(({ status }) => status === 'fail')).toMatchObject([
      { name: 'disk', message: saying('it is full'), fix: saying('make room') }
    ])
  })
})

describeWithKubo('the doctor of a daemon', (binary) => {
  let daemon: TestDaemon
  beforeAll(async () => {
    const token = { AuthSecret: 'bearer:right', AllowedPaths: ['/api/v0'] }
    daemon = await startTestDaemon({
      binary,
      config: { Pubsub: { Enabled: false }, API: { Authorizations: { token } } }
    })
  })
  afterAll(async () => await daemon.stop())

  function placeWith(authorization: string, url: string = daemon.url): Promise<Place> {
    return placeFor('daemon', {
      P2PL_BACKEND: 'ipfs-rpc',
      P2PL_BACKEND__OPTIONS__URL: url,
      P2PL_BACKEND__OPTIONS__AUTHORIZATION: authorization
    })
  }

  it('wrong token: names the setting of the daemon', async () => {
    expect(await faultOf(await placeWith('wrong'))).toMatchObject({
      name: 'authorization',
      fix: saying('API.Authorizations')
    })
  })

  it('pubsub off: names the command that puts it on; the clock is compared with the daemon’s', async () => {
    const place = await placeWith('right')
    expect(await faultOf(place)).toMatchObject({
      name: 'pubsub',
      fix: saying('ipfs config --json Pubsub.Enabled true')
    })
    const clock = (await examine(place)).find(({ name }) => name === 'clock')
    expect(clock).toMatchObject({ status: 'ok', message: saying(new URL(daemon.url).host) })
    // For content alone it is well; its peers are looked at by the checks of the daemon.
    const options = { url: daemon.url, authorization: 'right', pubsub: false }
    const data = await placeFor('data', { P2PL_DATA: JSON.stringify({ use: 'ipfs-rpc', options }) })
    expect((await examine(data)).filter(({ status }) => status === 'fail')).toEqual([])
  })

  it('daemon down: names its address, and how to start one', async () => {
    const port = await freePort()
    expect(await faultOf(await placeWith('right', `http://127.0.0.1:${port}`))).toMatchObject({
      name: 'daemon',
      message: saying(`127.0.0.1:${port}`),
      fix: saying('ipfs daemon')
    })
  })
})
