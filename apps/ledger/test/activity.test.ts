import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createPeer, P2plError } from '@p2pl/core'
import { LineBudget } from '@p2pl/layers/log'
import { formatMetrics } from '@p2pl/layers/prometheus'
import { memory } from '@p2pl/memory'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { describe, expect, it } from 'vitest'
import { createLog, type LogLevel } from '../src/log.ts'
import { withLayers } from '../src/node/backend.ts'
import type { Home } from '../src/node/home.ts'
import { Activity } from '../src/run/activity.ts'
import { openTracer } from '../src/run/tracer.ts'
import { makeHomes } from './support.ts'

const folder = temporaryFolder()
const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

function recorded(level: LogLevel = 'debug'): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = []
  return { lines, log: createLog({ level, json: false, write: (line) => lines.push(line) }) }
}

describe('the log', () => {
  it('has a line for each message of its level and above', () => {
    const { log, lines } = recorded('warn')
    log('error', 'a failure', { code: 'TIMEOUT', cause: undefined })
    log('warn', 'two\nlines\u001b[31m', { text: 'a "b"\nc', number: 1 })
    log('info', 'not shown')
    expect(lines.map((line) => line.slice(25))).toEqual([
      'error a failure code="TIMEOUT"\n',
      'warn  two lines [31m text="a \\"b\\"\\nc" number=1\n'
    ])
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /)
  })

  it('is JSON for programs', () => {
    const lines: string[] = []
    createLog({ level: 'info', json: true, write: (line) => lines.push(line) })('info', 'hello', { a: 1 })
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'info', message: 'hello', a: 1 })
  })

  it('cannot be filled by others', () => {
    let now = 0
    const budget = new LineBudget(3, 1_000, () => now)
    const take = (): boolean[] => Array.from({ length: 10 }, () => budget.take('x').write)
    expect(take().filter(Boolean)).toHaveLength(3)
    expect(budget.take('y')).toEqual({ write: true, leftOut: 0 })
    now = 1_000
    expect(budget.take('x')).toEqual({ write: true, leftOut: 7 })
  })
})

describe('the activity of a node', () => {
  it('is health, a log and numbers', () => {
    const { log, lines } = recorded()
    const activity = new Activity(log)
    expect(activity.health()).toEqual({ status: 'ok', degraded: [] })
    const error = new P2plError({ code: 'UNREACHABLE', message: 'the daemon is gone' })
    activity.onBackendEvent({ type: 'degraded', backend: 'ipfs-rpc', error })
    expect(activity.health()).toMatchObject({
      status: 'degraded',
      degraded: [{ backend: 'ipfs-rpc', reason: 'the daemon is gone' }]
    })
    expect(formatMetrics(activity.metrics())).toContain('p2pl_ledger_backend_degraded 1\n')
    activity.onBackendEvent({ type: 'recovered', backend: 'ipfs-rpc' })
    expect(activity.health().status).toBe('ok')
    activity.onBackendEvent({ type: 'warning', backend: 'helia', message: 'the clock jumped' })
    for (let i = 0; i < 100; i++) {
      activity.onBackendEvent({ type: 'peer:connect', backend: 'helia', id: `peer ${i}` })
      activity.onTrouble({ type: 'dropped', reason: 'overloaded' })
      activity.onTrouble({ type: 'dropped', reason: 'forged' })
    }
    const text = formatMetrics(activity.metrics())
    expect(text).toContain('p2pl_ledger_backend_degraded 0\n')
    expect(text).toContain('p2pl_ledger_backend_events_total{type="peer:connect"} 100\n')
    expect(text).toContain('p2pl_ledger_dropped_total{reason="overloaded"} 100\n')
    const of = (part: string): string[] => lines.filter((line) => line.includes(part)).map((line) => line.slice(25, 30))
    expect(of('cannot be used for now')).toEqual(['warn '])
    expect(of('can be used again')).toEqual(['info '])
    expect(of('the clock jumped')).toEqual(['warn '])
    expect(of('peer connected')).toHaveLength(30)
    expect(new Set(of('dropped: overloaded'))).toEqual(new Set(['warn ']))
    expect(new Set(of('dropped: forged'))).toEqual(new Set(['debug']))
  })
})

describe('what a node asks of its backend', () => {
  it.each([false, true])('is counted, and in the log where that is wanted: %s', async (calls) => {
    const { log, lines } = recorded()
    const activity = new Activity(log, { calls })
    await using peer = await createPeer(withLayers({ backend: memory() }, activity.layers))
    await peer.data.add('a note')
    expect(formatMetrics(activity.metrics())).toContain(
      '\np2pl_calls_total{backend="memory",operation="blocks.putMany",outcome="ok",code=""} 1\n'
    )
    expect(lines.filter((line) => line.includes('debug blocks.putMany'))).toHaveLength(calls ? 1 : 0)
  })

  it('warns where nothing records the traces that are asked for', async () => {
    const warnings: string[] = []
    await openTracer((message) => warnings.push(message))
    expect(warnings).toEqual([expect.stringContaining('NODE_OPTIONS="--import ./otel.mjs"')])
  })
})

/** The memory backend. It loses its engine when a file appears, and gets it back when the file is gone. */
const adapter = (module: string, marker: string): string => `
import { existsSync } from 'node:fs'
import { memory } from '${module}'
export const backend = () => {
  const inner = memory()
  let timer
  const own = {
    start: async (options) => {
      await inner.start(options)
      let lost = false
      timer = setInterval(() => {
        if (existsSync('${marker}') === lost) return
        lost = !lost
        const error = Object.assign(new Error('the engine is gone'),
          { [Symbol.for('@p2pl/error/1')]: true, code: 'UNREACHABLE', retryable: true })
        options.onEvent(lost ? { type: 'degraded', backend: 'flaky', error } : { type: 'recovered', backend: 'flaky' })
      }, 5)
    },
    stop: async (options) => {
      clearInterval(timer)
      await inner.stop(options)
    }
  }
  return new Proxy(inner, { get: (target, key) => own[key] ?? Reflect.get(target, key, target) })
}
`

describe('a node that runs', () => {
  it('tells an operator when its engine goes and comes', async () => {
    const [home] = (await makeHomes(folder, ['node'])) as [Home]
    const marker = join(folder, 'lost')
    const memoryModule = pathToFileURL(
      fileURLToPath(new URL('../../../packages/memory/src/index.ts', import.meta.url))
    ).href
    await mkdir(join(folder, 'adapter'))
    await writeFile(join(folder, 'adapter', 'flaky.mjs'), adapter(memoryModule, marker))
    const args = ['-C', '@p2pl/source', program, 'run', '--json', '--dir', home.path, '--backend', './flaky.mjs']
    // The path of an adapter is relative to the user's current folder.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: join(folder, 'adapter') })
    const lines: { level: string; message: string; backend?: string; reason?: string }[] = []
    createInterface({ input: child.stderr }).on('line', (line) => {
      const entry = JSON.parse(line) as (typeof lines)[0]
      if (entry.backend !== undefined) lines.push(entry)
    })
    try {
      const [ready] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
      const { url } = JSON.parse(ready) as { url: string }
      const health = async (): Promise<[number, unknown]> => {
        const answer = await fetch(`${url}/v1/health`)
        return [answer.status, ((await answer.json()) as { status: string }).status]
      }
      expect(await health()).toEqual([200, 'ok'])
      await writeFile(marker, '')
      await until('it is lost', () => lines.length === 1)
      expect(lines[0]).toMatchObject({ level: 'warn', backend: 'flaky', reason: 'the engine is gone' })
      expect(await health()).toEqual([503, 'degraded'])
      const metrics = await (await fetch(`${url}/v1/metrics`)).text()
      for (const line of ['backend_degraded 1', 'entries 0', 'http_requests_total{status="503"} 1'])
        expect(metrics).toContain(`\np2pl_ledger_${line}\n`)
      const { rm } = await import('node:fs/promises')
      await rm(marker)
      await until('it is back', () => lines.length === 2)
      expect(lines[1]).toMatchObject({ level: 'info', backend: 'flaky' })
      expect(await health()).toEqual([200, 'ok'])
    } finally {
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      expect(await closed).toEqual([0, null])
    }
  })
})
