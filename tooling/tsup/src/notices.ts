import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Carried } from './carried.ts'
import { fileAbove } from './lockfile.ts'

const licence = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i

/** The licence texts of the packages. */
export async function notices(all: readonly Carried[]): Promise<string> {
  const texts = await Promise.all(all.map(notice))
  return `${texts.toSorted().join('\n\n')}\n`
}

async function notice(carried: Carried): Promise<string> {
  const { folder, name, version, license } = carried
  const names = (await readdir(folder)).filter((entry) => licence.test(entry)).toSorted()
  const texts = await Promise.all(names.map((entry) => readFile(join(folder, entry), 'utf8')))
  if (!texts.some((text) => text.length > shortest)) texts.push(await standardText(carried))
  return [
    `${'='.repeat(80)}\n${name} ${version} (${license === '' ? 'see below' : license})`,
    ...texts.map((text) => text.trim())
  ].join('\n\n')
}

/** In characters. Shorter texts only name a licence, such as "dual licensed under MIT and Apache-2.0" with two links. */
const shortest = 500

/** Many packages name a licence without including its text, but a redistributor has to include it. */
async function standardText({ name, version, license = '', author }: Carried): Promise<string> {
  if (/\bApache-2\.0\b/.test(license)) return 'The text of the Apache License 2.0 is in LICENSE.APACHE of this package.'
  const own = fileAbove('LICENSE.MIT')
  if (!/\bMIT\b/.test(license) || own === undefined)
    throw new Error(
      `${name} ${version} has no licence text, and its licence "${license}" is neither MIT nor Apache-2.0`
    )
  const [, permission = ''] = (await readFile(own, 'utf8')).split(/^(?=Permission is hereby granted)/m)
  const holder = typeof author === 'object' ? author.name : author
  return `MIT License\n\nCopyright (c) ${holder ?? `the authors of ${name}`}\n\n${permission}`
}
