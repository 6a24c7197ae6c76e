import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, halfOpenProxy, type HalfOpenProxy, temporaryFolder, until, withSeed } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { readApiFile } from '../src/node/api-file.ts'
import type { Home } from '../src/node/home.ts'
import { RemoteLedger } from '../src/service/remote.ts'
import type { StatusView } from '../src/service/views.ts'
import { makeHomes } from './support.ts'

// Three real peers in separate processes, which are killed, stopped and cut off from each other while entries are
// written all the time.

/** Seconds; ten minutes in `npm run test:long`. */
const duration = process.env['P2PL_LONG'] === '1' ? 600 : 15
const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const folder = temporaryFolder()

interface Running {
  readonly child: ChildProcess
  readonly remote: RemoteLedger
  readonly self: string
}

/** One place in the network: the same folder and port for successive processes. */
class Place {
  readonly name: Name
  readonly complaints: string[] = []
  running: Running | undefined
  /** Processes that ended without being killed by this test. */
  readonly deaths: string[] = []
  readonly #home: Home
  readonly #port: number
  readonly #peers: () => readonly string[]

  constructor(name: Name, home: Home, port: number, peers: () => readonly string[]) {
    this.name = name
    this.#home = home
    this.#port = port
    this.#peers = peers
  }

  async start(): Promise<Running> {
    const args = ['-C', '@p2pl/source', program, 'run', '--json', '--log-level', 'error', '--dir', this.#home.path]
    args.push('--backend', 'helia', '--beacon-period', '500', '--listen', `/ip4/127.0.0.1/tcp/${this.#port}`)
    const peers = this.#peers()
    if (peers.length > 0) args.push('--connect', ...peers)
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    })
    child.once('exit', (code, signal) => {
      if (signal !== 'SIGKILL') this.deaths.push(`${this.name}: ${String(code ?? signal)}`)
    })
    if (child.stdout === null || child.stderr === null) throw new Error('no output')
    createInterface({ input: child.stderr }).on('line', (line) => this.complaints.push(line))
    const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
      signal: AbortSignal.timeout(100_000)
    })) as [string]
    const { self } = JSON.parse(line) as { self: { network: string; id: string }[] }
    const access = await readApiFile(this.#home.apiPath)
    if (access === undefined) throw new Error(`${this.name} has no API`)
    this.running = { child, remote: new RemoteLedger(access), self: self[0]?.id ?? '' }
    return this.running
  }

  async kill(): Promise<void> {
    const child = this.running?.child
    this.running = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Resident bytes. */
  get memory(): number {
    const status = readFileSync(`/proc/${String(this.running?.child.pid)}/status`, 'utf8')
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1] ?? 0
}

it(
  'chaos for a while leaves all entries on all peers',
  async () => {
    await withSeed(20261129, async (_, random) => {
      const homes = await makeHomes(folder, names)
      const ports = [await freePort(), await freePort(), await freePort()]
      // Each dials the previous one through a proxy, and the first one dials the last.
      const proxies: HalfOpenProxy[] = await Promise.all(ports.map((port) => halfOpenProxy(port)))
      const ids: (string | undefined)[] = []
      const places = names.map((name, i) => {
        const target = (i + 2) % 3
        return new Place(name, homes[i] as Home, ports[i] as number, () => {
          const id = ids[target]
          return id === undefined ? [] : [`libp2p:${id}@/ip4/127.0.0.1/tcp/${proxies[target]?.port}/p2p/${id}`]
        })
      })
      try {
        for (const [i, place] of places.entries()) ids[i] = (await place.start()).self
        // The first one did not know the last one when it started.
        await places[0]?.kill()
        await places[0]?.start()
        const accounts = await Promise.all(
          places.map(async ({ running }) => (await running?.remote.status())?.account as string)
        )

        const end = performance.now() + duration * 1_000
        const acknowledged = new Map<string, string>()
        const memory: number[] = []
        let refused = 0
        const done = { kills: 0, stops: 0, cuts: 0 }

        const write = async (place: Place, lane: number): Promise<void> => {
          for (let i = 0; performance.now() < end; i++) {
            const reference = `${place.name}/${lane}/${i}`
            const to = accounts[(names.indexOf(place.name) + 1) % 3] as string
            try {
              const written = await place.running?.remote.transfer({ to, amount: 1n, reference })
              if (written !== undefined) acknowledged.set(reference, written.entry.cid)
            } catch {
              refused++
            }
            await sleep(400)
          }
        }
        const disturb = async (): Promise<void> => {
          while (performance.now() < end - 5_000) {
            await sleep(1_000 + random() * 4_000)
            const place = places[1 + Math.floor(random() * 2)] as Place
            const choice = random()
            if (choice < 0.3) {
              done.kills++
              await place.kill()
              await sleep(random() * 2_000)
              await place.start()
            } else if (choice < 0.6) {
              done.stops++
              const child = places[Math.floor(random() * 3)]?.running?.child
              child?.kill('SIGSTOP')
              await sleep(random() * 6_000)
              child?.kill('SIGCONT')
            } else {
              done.cuts++
              proxies[Math.floor(random() * 3)]?.swallow(
                choice < 0.7 ? 'dialler' : choice < 0.8 ? 'listener' : 'nobody'
              )
            }
          }
        }
        const watch = async (): Promise<void> => {
          for (; performance.now() < end; await sleep(2_000)) memory.push(places[0]?.memory ?? 0)
        }
        await Promise.all([disturb(), watch(), ...places.flatMap((place) => [write(place, 0), write(place, 1)])])

        const last = await until(
          'all peers have the same root',
          async () => {
            const all: StatusView[] = []
            for (const place of places) {
              const status = await place.running?.remote.status().catch(() => undefined)
              if (status === undefined) return false
              all.push(status)
            }
            return all.every(({ root }) => root === all[0]?.root) && all
          },
          120_000
        )
        expect(last.every(({ balances }) => balances === last[0]?.balances)).toBe(true)
        for (const place of places)
          for (const [reference, cid] of acknowledged)
            expect((await place.running?.remote.entry(cid))?.cid, `${reference} at ${place.name}`).toBe(cid)
        expect(places.flatMap(({ deaths }) => deaths)).toEqual([])
        expect(
          places.flatMap(({ complaints }) => complaints.filter((line) => /unhandled|warning:/i.test(line)))
        ).toEqual([])
        const quarter = memory.length >> 2
        const [early, late] = [median(memory.slice(quarter, 2 * quarter)), median(memory.slice(-quarter))]
        console.log(
          `${duration} s: ${acknowledged.size} entries, ${refused} refused, ${done.kills} kills, ${done.stops} stops, ${done.cuts} cuts; ` +
            `memory of the peer that lived ${Math.round(early / 1e6)} -> ${Math.round(late / 1e6)} MB`
        )
        if (duration >= 600) expect(late).toBeLessThan(early * 1.1)
      } finally {
        for (const place of places) await place.kill()
      }
    })
  },
  (duration + 400) * 1_000
)
