import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { startChild } from '../src/harness/child.ts'
import { sentOverLoopback } from '../src/harness/loopback.ts'
import { Meter } from '../src/harness/meter.ts'
import { runScenario } from '../src/harness/run.ts'
import type { Contender, Scenario, Side } from '../src/harness/scenario.ts'
import type { Echo } from './echo-role.ts'

const main = join(import.meta.dirname, '../src/main.ts')
const context = { quick: true, folder: '', profile: undefined }

function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['-C', '@p2pl/source', main, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    )
  })
}

describe('the command', () => {
  it('lists its scenarios, and only those that are asked for', async () => {
    const { code, stdout } = await command('--list')
    expect(code).toBe(0)
    for (const name of ['add-1mib', 'get-256mib', 'topic-2-await', 'topic-8-burst', 'append', 'catch-up-2000', 'quiet'])
      expect(stdout).toContain(name)
    expect((await command('--list', '--only', 'add')).stdout.trim().split('\n')).toHaveLength(2)
  })

  it('says how it is used when it is used otherwise', async () => {
    const [option, name, runs] = await Promise.all([
      command('--fast'),
      command('--only', 'none'),
      command('--runs', 'x')
    ])
    expect([option.code, name.code, runs.code]).toEqual([2, 2, 2])
    expect(option.stderr).toContain('usage: npm run bench')
    expect(name.stderr).toMatch(/there are: .*add-1mib/)
    expect(runs.stderr).toContain('--runs takes a whole number')
  })
})

describe('a child', () => {
  it('answers, passes errors on, and says when it has gone', async () => {
    const meter = new Meter()
    const role = new URL('./echo-role.ts', import.meta.url)
    const child = await startChild<Echo>(role, { prefix: 7 }, { ...context, meter })
    expect(await child.call.say(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(7, 1, 2))
    await expect(child.call.fail()).rejects.toThrow('as asked')
    expect((await meter.read()).peak).toBeGreaterThan(1)
    await expect(child.call.leave()).rejects.toThrow('the child ended (3)')
    await child.close()
    expect((await meter.read()).traffic).toBeUndefined()
  })

  it('ends with its side, whatever became of that', async () => {
    const meter = new Meter()
    const child = await startChild<Echo>(
      new URL('./echo-role.ts', import.meta.url),
      { prefix: 7 },
      { ...context, meter }
    )
    await meter.close()
    await expect(child.call.say(Uint8Array.of(1))).rejects.toThrow('the child has ended')
  })
})

describe('the bytes on a loopback', () => {
  it('are those that were sent', () => {
    const table = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:  123456     789    0    0    0     0          0         0   654321     987    0    0    0     0       0          0
  eth0: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0`
    expect(sentOverLoopback(table)).toEqual({ bytes: 654_321, packets: 987 })
  })
})

describe('a scenario', () => {
  const log: string[] = []
  const side = (label: string, figures: (number | Error)[], aim?: number): Contender => ({
    label,
    kind: 'engine',
    aim,
    prepare: async (preparing): Promise<Side> => {
      preparing.note('here')
      return {
        run: async () => {
          log.push(label)
          const next = figures.shift()
          if (next === undefined || next instanceof Error) throw next ?? new Error('too many runs')
          return { figure: next, work: 1, also: { twice: next * 2 } }
        },
        close: async () => void log.push(`${label} closed`)
      }
    }
  })
  const scenario = (subject: Contender, ...others: Contender[]): Scenario => ({
    name: 'x',
    title: '',
    unit: '',
    better: 'higher',
    aim: 40,
    sides: [subject, ...others]
  })

  it('warms all sides up, measures them in turns, and releases them', async () => {
    log.length = 0
    const row = await runScenario(scenario(side('a', [1, 40, 40, 41]), side('b', [1_000, 10, 20, 30], 2)), context)
    expect(log).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a closed', 'b closed'])
    expect(row.results).toMatchObject([
      { label: 'a', figure: 40, met: true, also: { twice: 80 }, comparison: undefined },
      { label: 'b', figure: 20, met: true, comparison: { ratio: 2 } }
    ])
    expect(row.notes).toEqual(['a: here', 'b: here'])
  })

  it('says which aims were missed', async () => {
    const row = await runScenario(scenario(side('a', [1, 39, 39, 39]), side('b', [1, 20, 20, 20], 2)), context)
    expect(row.results.map(({ met }) => met)).toEqual([false, false])
  })

  it('goes on without a side that breaks, except p2pl', async () => {
    log.length = 0
    const broken = side('b', [1, 5, new Error('broke')])
    const row = await runScenario(scenario(side('a', [1, 2, 3, 4]), broken, side('c', [1, 2, 3, 4])), context)
    expect(row.results.map(({ label, samples }) => [label, samples])).toEqual([
      ['a', [2, 3, 4]],
      ['c', [2, 3, 4]]
    ])
    expect(row.failures).toEqual([expect.stringContaining('b: Error: broke')])
    expect(log.filter((entry) => entry.endsWith('closed'))).toHaveLength(3)
    await expect(runScenario(scenario(side('a', [new Error('ours')])), context)).rejects.toThrow('ours')
  })
})
