import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { withSeed } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { compare, folder, storeAt } from './support/store.ts'

/** Lets a process write, kills it after so many lines, and gives them. */
async function killAfter(store: string, round: number, lines: number): Promise<string[]> {
  const script = join(import.meta.dirname, 'scenarios/writer.ts')
  const child = spawn(process.execPath, ['-C', '@p2pl/source', script, store, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    if (output.split('\n').length > lines) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
  expect(child.signalCode).toBe('SIGKILL')
  return output.split('\n').slice(0, -1)
}

it('nothing acknowledged is lost in twelve kills, nothing removed comes back, and nothing is left over', async () => {
  await withSeed(1, async (_, random) => {
    const dir = join(folder(), 'store')
    const there = new Map<string, number>()
    for (let round = 0; round < 12; round++) {
      const uncertain = new Set<string>()
      for (const line of await killAfter(dir, round, 10 + Math.floor(random() * 150))) {
        const name = line.slice(1)
        const sign = line[0]
        if (sign === '+' || sign === '-') uncertain.add(name)
        else uncertain.delete(name)
        if (sign === '=') there.set(name, Number(/\d+$/.exec(name)))
        if (sign === '~') there.delete(name)
      }
      const store = await storeAt(dir)
      const { missing, extra } = await compare(store, there)
      expect(missing.filter((name) => !uncertain.has(name))).toEqual([])
      expect(extra.filter((name) => !uncertain.has(name))).toEqual([])
      for (const name of missing) there.delete(name)
      for (const name of extra) there.set(name, Number(/\d+$/.exec(name)))
      // A value is whole or not there.
      expect(await compare(store, there)).toEqual({ missing: [], extra: [] })
      await store.sweep()
      const files = readdirSync(join(dir, 'values'), { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile()
      )
      const large = [...there].filter(([name, size]) => name.startsWith('b') && size >= 262_144)
      expect(files).toHaveLength(large.length)
      await store.close()
    }
    expect(there.size).toBeGreaterThan(100)
  })
})
