// Runs after a build. Compares the third-party packages in our bundles with the reviewed list, and asks the registry
// for advisories about them. Tools that read our lockfile cannot see these packages.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { audit } from './audit.ts'
import { builtList, differences, type List } from './list.ts'

const root = resolve(import.meta.dirname, '../../../..')
const file = resolve(import.meta.dirname, '../../carried.json')

interface Reviewed {
  /** Advisories that do not affect us: the URL, and why. */
  readonly accepted: Readonly<Record<string, string>>
  readonly carried: List
}

const reviewed = JSON.parse(readFileSync(file, 'utf8')) as Reviewed
const built = builtList(join(root, 'packages'))
const wrong: string[] = []

if (process.argv.includes('--write'))
  writeFileSync(file, `${JSON.stringify({ ...reviewed, carried: built }, undefined, 2)}\n`)
else {
  const changes = differences(reviewed.carried, built)
  if (changes.length > 0)
    wrong.push(...changes, 'Review these, then run `npx pnpm@12 --filter @p2pl/tooling-tsup run carried --write`.')
}

const advisories = await audit(Object.keys(built))
if (advisories === undefined)
  process.stdout.write(
    `\nNOT AUDITED: the registry does not answer, so ${Object.keys(built).length} carried packages were not looked up.\n\n`
  )
else wrong.push(...advisories.filter((line) => !Object.keys(reviewed.accepted).some((url) => line.includes(url))))

for (const line of wrong) process.stderr.write(`${line}\n`)
if (wrong.length > 0) process.exitCode = 1
