import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readApiFile } from '../src/node/api-file.ts'
import { RemoteLedger } from '../src/service/remote.ts'
import { makeHomes } from './support.ts'

// Three real processes over helia, as an operator sees them: through their traces and metrics.

interface Span {
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly traceId: string
  readonly spanId: string
  readonly parent?: string
}

interface Node {
  readonly child: ChildProcess
  readonly ledger: RemoteLedger
  readonly url: string
  spans(name: string): Promise<Span[]>
}

const folder = temporaryFolder()
const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const nodes: Node[] = []

async function start(path: string, apiPath: string): Promise<Node> {
  const spans = join(path, 'spans.jsonl')
  const args = [
    '-C',
    '@p2pl/source',
    '--import',
    fileOf('./spans.process.ts'),
    fileOf('../src/main.ts'),
    'run',
    '--trace'
  ]
  args.push('--json', '--dir', path, '--backend', 'helia', '--beacon-period', '500', '--log-level', 'warn')
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, P2PL_SPANS: spans }
  })
  if (child.stdout === null) throw new Error('no stdout')
  await once(createInterface({ input: child.stdout }), 'line', { signal: AbortSignal.timeout(100_000) })
  const access = (await readApiFile(apiPath)) ?? { url: '' }
  return {
    child,
    ledger: new RemoteLedger(access),
    url: access.url,
    spans: async (name) => {
      if (!existsSync(spans)) return []
      const lines = (await readFile(spans, 'utf8')).split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as Span).filter((span) => span.name === name)
    }
  }
}

beforeAll(async () => {
  const homes = await makeHomes(folder, ['alder', 'birch', 'cedar'])
  nodes.push(...(await Promise.all(homes.map((home) => start(home.path, home.apiPath)))))
  const [alder, ...others] = nodes
  const { self } = await alder!.ledger.status()
  for (const { ledger } of others) await ledger.connect(self[0]!)
})

afterAll(async () => {
  for (const { child } of nodes) {
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    await closed
  }
})

it('follows what one node publishes to each receiver: one trace over three processes', async () => {
  const [alder, birch, cedar] = nodes as [Node, Node, Node]
  const { account } = await birch.ledger.status()
  await alder.ledger.transfer({ to: account, amount: 5n, memo: 'traced' })
  const received = async (node: Node): Promise<Map<unknown, Span>> =>
    new Map((await node.spans('topic.receive')).map((span) => [span.attributes['p2pl.message'], span]))
  let whole: [Span, Span, Span][] = []
  await until('a publish and both of its receipts are recorded', async () => {
    const [published, atBirch, atCedar] = [
      await alder.spans('topic.publish'),
      await received(birch),
      await received(cedar)
    ]
    whole = published.flatMap((span) => {
      const both = [atBirch, atCedar].map((at) => at.get(span.attributes['p2pl.message']))
      return both.every((receipt) => receipt !== undefined) ? [[span, both[0]!, both[1]!]] : []
    })
    return whole.length > 0
  })
  for (const [published, ...receipts] of whole)
    for (const receipt of receipts)
      expect(receipt).toMatchObject({ traceId: published.traceId, parent: published.spanId })
  const [[first]] = whole as [[Span, Span, Span]]
  const sent = (await alder.spans('messages.publish')).find(({ traceId }) => traceId === first.traceId)
  expect(sent).toMatchObject({ attributes: { 'p2pl.backend': 'helia' } })
})

it('follows the reading of a document through the blocks that it took', async () => {
  const [alder, birch] = nodes as [Node, Node]
  const document = async function* (): AsyncGenerator<Uint8Array> {
    for (let part = 0; part < 3; part++) yield new Uint8Array(1024 * 1024).fill(part + 1)
  }
  const { entry } = await alder.ledger.record({ name: 'plan', mediaType: 'text/plain', content: document() })
  const cid = (entry as { content?: string }).content ?? ''
  const read = await fetch(`${birch.url}/v1/content/${cid}`)
  expect((await read.arrayBuffer()).byteLength).toBe(3 * 1024 * 1024)
  let fetches: Span[] = []
  await until('the read is recorded', async () => {
    const whole = (await birch.spans('data.get')).find(({ attributes }) => attributes['p2pl.cid'] === cid)
    fetches = (await birch.spans('blocks.get')).filter(({ traceId }) => traceId === whole?.traceId)
    return whole !== undefined && fetches.every(({ parent }) => parent === whole.spanId)
  })
  // The root and three leaves.
  expect(fetches).toHaveLength(4)
})

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}

it('has the numbers and labels that each query of the dashboard asks for', async () => {
  const [alder, birch] = nodes as [Node, Node]
  const { account } = await alder.ledger.status()
  await birch.ledger.transfer({ to: account, amount: 1n })
  const document = async function* (): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('a note')
  }
  await alder.ledger.record({ name: 'note.txt', mediaType: 'text/plain', content: document() })
  await until('birch has all', async () => (await birch.ledger.status()).entries >= 3)
  const text = await (await fetch(`${birch.url}/v1/metrics`)).text()
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]))
  const labels = new Map<string, Set<string>>()
  for (const [, name = '', list = ''] of text.matchAll(/^([a-z0-9_]+)(?:\{(.*)\})? \S+$/gm))
    labels.set(name, new Set(['instance', ...[...list.matchAll(/([a-z_]+)="/g)].map(([, label = '']) => label)]))

  const { panels } = JSON.parse(await readFile(fileOf('../grafana/dashboard.json'), 'utf8')) as Dashboard
  const queries = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })))
  expect(queries.length).toBeGreaterThan(15)
  for (const { title, expr } of queries) {
    const [, name = '', matchers = ''] = /(p2pl_[a-z0-9_]+)\{([^}]*)\}/.exec(expr) ?? []
    const family = name.replace(/_bucket$/, '')
    expect([...types.keys()], `${title}: ${expr}`).toContain(family)
    const isCounted = types.get(family) !== 'gauge'
    expect(/\b(rate|increase)\(/.test(expr), `${title}: ${expr}`).toBe(isCounted)
    const by = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(', ') ?? []
    const asked = [...by, ...[...matchers.matchAll(/([a-z_]+)(?==)/g)].map(([, label = '']) => label)]
    // Losses and refusals have no metric before the first one.
    const known = labels.get(name)
    if (known === undefined) expect(['p2pl_topic_gaps_total', 'p2pl_ledger_dropped_total']).toContain(name)
    else for (const label of asked) expect([...known], `${title}: ${expr}`).toContain(label)
  }
})
