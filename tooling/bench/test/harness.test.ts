import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CpuMeter } from '../src/harness/cpu.ts'
import { startChild } from '../src/harness/child.ts'
import { runScenario } from '../src/harness/run.ts'
import type { Scenario, Side } from '../src/harness/scenario.ts'
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
    for (const name of [
      'add-1mib',
      'add-64mib',
      'get-1mib',
      'get-64mib',
      'publish',
      'topic-flood',
      'append',
      'catch-up'
    ])
      expect(stdout).toContain(name)
    expect((await command('--list', '--only', 'get')).stdout.trim().split('\n')).toHaveLength(2)
  })

  it('says how it is used when it is used otherwise', async () => {
    const [option, name, runs] = await Promise.all([
      command('--fast'),
      command('--only', 'none'),
      command('--runs', 'x')
    ])
    expect([option.code, name.code, runs.code]).toEqual([2, 2, 2])
    expect(option.stderr).toContain('usage: npm run bench')
    expect(name.stderr).toContain('there are: add-1mib')
    expect(runs.stderr).toContain('--runs takes a whole number')
  })
})

describe('a child', () => {
  it('answers, passes errors on, and says when it has gone', async () => {
    const cpu = new CpuMeter()
    const child = await startChild<Echo>(new URL('./echo-role.ts', import.meta.url), { prefix: 7 }, { ...context, cpu })
    expect(await child.call.say(Uint8Array.of(1, 2))).toEqual(Uint8Array.of(7, 1, 2))
    await expect(child.call.fail()).rejects.toThrow('as asked')
    await expect(child.call.leave()).rejects.toThrow('the child ended (3)')
    await child.close()
    expect(await cpu.total()).toBeGreaterThanOrEqual(0)
  })
})

describe('a scenario', () => {
  it('warms both sides up, measures them in turns, and releases them whatever happens', async () => {
    const log: string[] = []
    const side = (name: string, figures: (number | Error)[]) => ({
      label: name,
      prepare: async (): Promise<Side> => ({
        run: async () => {
          log.push(name)
          const next = figures.shift()
          if (next === undefined || next instanceof Error) throw next ?? new Error('too many runs')
          return { figure: next, work: 1 }
        },
        close: async () => void log.push(`${name} closed`)
      })
    })
    const scenario = (b: (number | Error)[]): Scenario => ({
      name: 'x',
      title: '',
      unit: '',
      better: 'higher',
      aim: { ratio: 2 },
      baseline: side('a', [1_000, 10, 20, 30]),
      subject: side('b', b)
    })
    const row = await runScenario(scenario([1, 40, 40, 41]), context)
    expect(log.splice(0)).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a', 'b', 'a closed', 'b closed'])
    expect(row).toMatchObject({ baseline: 20, subject: 40, ratio: 2, met: true })
    expect((await runScenario(scenario([1, 39, 39, 39]), context)).met).toBe(false)
    log.length = 0
    await expect(runScenario(scenario([1, new Error('broke')]), context)).rejects.toThrow('broke')
    expect(log.slice(-2)).toEqual(['a closed', 'b closed'])
  })
})
