import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Carried } from './carried.ts'

const licence = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/** The licence texts of the packages. */
export async function notices(all: readonly Carried[]): Promise<string> {
  const texts = await Promise.all(all.map(notice))
  return `${texts.toSorted().join('\n\n')}\n`
}

async function notice({ folder, name, version, license }: Carried): Promise<string> {
  const names = (await readdir(folder)).filter((entry) => licence.test(entry)).toSorted()
  const texts = await Promise.all(names.map((entry) => readFile(join(folder, entry), 'utf8')))
  return [
    `${'='.repeat(80)}\n${name} ${version} (${license === '' ? 'see below' : license})`,
    ...texts.map((text) => text.trim())
  ].join('\n\n')
}
