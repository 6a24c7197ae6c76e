import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { measured } from '../src/measured.ts'
import { read } from '../src/repository.ts'

const guide = (name: string): string => readFileSync(new URL(`../pages/guide/${name}.md`, import.meta.url), 'utf8')

it('the guide to troubleshooting has cause and fix of every error code', () => {
  const [, union = ''] = /export type ErrorCode =([^]*?)\nexport /.exec(read('packages/core/src/errors.ts')) ?? []
  const codes = [...union.matchAll(/^ {2}\| '(\w+)'$/gm)].map(([, code]) => code)
  expect(codes.length).toBeGreaterThan(15)
  const [, ...sections] = guide('troubleshooting').split(/^### /m)
  expect(sections.map((section) => section.split('\n')[0])).toEqual(codes)
  for (const section of sections) expect(section).toMatch(/^\w+\n\n\*Cause:\* .+\n\*Fix:\* .+/)
})

it('the guide to operation names metrics that exist', () => {
  const names = new Set(guide('operate').match(/p2pl_\w+/g))
  expect(names.size).toBeGreaterThan(3)
  const source = read('packages/layers/src/prometheus.ts')
  for (const name of names) expect(source).toContain(`'${name}'`)
})

it('every guide that names gaps, states or durabilities has those of the code', () => {
  const reasons = /readonly reason: (.+)/.exec(read('packages/core/src/api/topic.ts'))?.[1]?.match(/\w+/g) ?? []
  expect(reasons).toContain('queue')
  for (const reason of reasons) expect(guide('guarantees')).toContain(`\`${reason}\``)
})

it('the table of measured figures shows the newest run of each scenario that several backends share', () => {
  const machine = { node: '24.1.0', cpus: 2, model: 'A' }
  const run = (date: string, name: string, figures: Record<string, number>): string =>
    JSON.stringify({
      date,
      commit: 'abc',
      machine,
      scenarios: [{ name, unit: 'MiB/s', sides: Object.entries(figures).map(([label, figure]) => ({ label, figure })) }]
    })
  const history = [
    run('2026-02-02', 'get-64', { p2pl: 123.456, 'p2pl bittorrent': 98_765, 'bare Helia': 1 }),
    run('2026-01-01', 'get-64', { p2pl: 1, 'p2pl bittorrent': 2 }),
    run('2026-02-02', 'alone', { p2pl: 1, 'bare Helia': 1 })
  ].join('\n')
  expect(measured(history).split('\n')).toEqual([
    '| scenario | unit | helia | ipfs-rpc | bittorrent |',
    '|---|---|---:|---:|---:|',
    '| get-64 | MiB/s | 123 |  | 98,800 |',
    '',
    'Measured: 2026-02-02, commit abc, Node 24.1.0, 2 × A.'
  ])
  expect(measured('')).toContain('npm run bench -- --history')
})
