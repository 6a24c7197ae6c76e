import { describe, expect, it } from 'vitest'
import type { Layer } from '@p2pl/core/backend'
import { fakeCapabilities, fakeFixture, type FakeBackend } from '../src/fake/index.ts'
import type { ConformanceReport } from '../src/index.ts'
import { capabilityMatrix, toMarkdown } from '../src/report/index.ts'
import { cutMutants } from './mutants/cut.ts'
import { failures, runKit } from './support.ts'

async function reportOf(fixture: Parameters<typeof runKit>[0], only?: RegExp): Promise<[ConformanceReport, string[]]> {
  const reports: ConformanceReport[] = []
  const outcomes = await runKit({ ...fixture, report: (report) => void reports.push(report) }, { only })
  expect(reports).toHaveLength(1)
  return [reports[0] as ConformanceReport, failures(outcomes)]
}

const blocksOnly = { capabilities: { blocks: fakeCapabilities.blocks } }

describe('the report', () => {
  it('tells of every obligation whether it is kept, or does not apply', async () => {
    for (const stated of [{}, blocksOnly]) {
      const [report] = await reportOf({ ...fakeFixture(blocksOnly), ...stated }, /blocks/)
      expect(report).toMatchObject({ format: 1, name: 'the fake', capabilities: blocksOnly.capabilities })
      const outcomes = new Set(report.obligations.map(({ suite, outcome }) => `${suite}: ${outcome}`))
      expect(outcomes).toContain('blocks: the own store: passed')
      expect(outcomes).toContain('messages: not applicable')
      expect(outcomes).toContain('concurrency: not run')
      expect(outcomes).toContain('end: passed')
      expect([...outcomes].filter((text) => text.endsWith('failed'))).toEqual([])
      expect(JSON.parse(JSON.stringify(report))).toMatchObject({ name: 'the fake' })
    }
  })

  it('names each failure, and what was seen', async () => {
    const [mutant] = cutMutants
    if (mutant === undefined) throw new Error('there is no mutant')
    const wrap = ((backend: FakeBackend) => mutant.mutate(backend)) as unknown as Layer
    const fixture = { ...fakeFixture(), cutsFrom: 'engine', patience: 250, wrap } as const
    const [report, failed] = await reportOf(fixture, mutant.caughtBy)
    const noted = report.obligations.filter(({ outcome }) => outcome === 'failed')
    expect(noted.map(({ suite, name }) => `${suite} > ${name}`)).toEqual(failed)
    expect(noted[0]?.seen).toContain('none arrived')
    expect(toMarkdown(report)).toContain(`**${noted[0]?.suite}: ${noted[0]?.name}**\n\n\`\`\`\n${noted[0]?.seen}`)
  })

  it('tells of a rejection that nobody handled', async () => {
    const reports: ConformanceReport[] = []
    await runKit(
      { ...fakeFixture(), report: (report) => void reports.push(report) },
      {
        only: /nothing at all/,
        onUnhandledRejection: (listener) => {
          listener(new Error('nobody looked'))
          return () => undefined
        }
      }
    )
    expect(reports[0]?.obligations.at(-1)).toMatchObject({ suite: 'end', outcome: 'failed' })
  })

  it('makes a page with the count and the table', async () => {
    const [report] = await reportOf(fakeFixture(blocksOnly), /blocks: the own store/)
    const page = toMarkdown(report)
    const kept = report.obligations.filter(({ outcome }) => outcome === 'passed').length
    expect(page).toContain(`It keeps ${kept} of the `)
    expect(page).toMatch(/declares, \d+ were not run\./)
    expect(page).toContain(capabilityMatrix({ 'the fake': report.capabilities }))
  })
})

describe('the matrix', () => {
  it('has a column for each backend and a row for each field', () => {
    const rows = capabilityMatrix({ all: fakeCapabilities, some: blocksOnly.capabilities }).split('\n')
    expect(rows.slice(0, 4)).toEqual([
      '|  | all | some |',
      '| --- | --- | --- |',
      '| **messages** | yes | no |',
      '| delivery | reliable |  |'
    ])
    expect(rows).toContain('| largest block | 1.1 MiB | 1.1 MiB |')
    expect(rows).toContain('| hashes | sha2-256, sha2-512 | sha2-256, sha2-512 |')
    expect(rows).toContain('| a provider record lives | for ever |  |')
    const fields = Object.values(fakeCapabilities).flatMap((part) => Object.keys(part))
    // Two fields of blocks share a row; there are two lines of head and one for each part.
    expect(rows).toHaveLength(fields.length - 1 + 2 + 3)
  })

  it('gives limits in units that people read', () => {
    const messages = {
      ...fakeCapabilities.messages,
      maxMessageBytes: 900,
      pacing: 10,
      delivery: 'at-most-once'
    } as const
    const routing = { ...fakeCapabilities.routing, recordLifetime: 48 * 3_600_000 }
    const matrix = capabilityMatrix({ x: { messages, routing } })
    for (const cell of ['900 bytes', '10 ms', '48 h', 'at most once']) expect(matrix).toContain(`| ${cell} |`)
  })
})
