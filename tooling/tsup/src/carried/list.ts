import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sbomFile, type Sbom } from '../sbom.ts'

/**
 * By `name@version`: the first 32 hex digits of the sha512 of its tarball (`none` if the lockfile has none), and our
 * packages that carry it.
 */
export type List = Readonly<Record<string, string>>

/** The third-party packages in the built bundles. */
export function builtList(packages: string): List {
  const list = new Map<string, Set<string>>()
  for (const folder of readdirSync(packages).toSorted())
    for (const outdir of ['dist', 'dist/browser']) {
      const file = join(packages, folder, outdir, sbomFile)
      if (!existsSync(file)) continue
      const { components } = JSON.parse(readFileSync(file, 'utf8')) as Sbom
      for (const { name, version, hashes } of components) {
        const id = `${name}@${version}`
        const words = list.get(id) ?? new Set([hashes?.[0]?.content.slice(0, 32) ?? 'none'])
        list.set(id, words.add(folder))
      }
    }
  const sorted = [...list].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([id, words]) => [id, [...words].join(' ')]))
}

/** The differences, one per line: what is new, what is gone, what changed. */
export function differences(listed: List, built: List): string[] {
  const ids = [...new Set([...Object.keys(listed), ...Object.keys(built)])].toSorted()
  return ids.flatMap((id) => {
    const [before, now] = [listed[id], built[id]]
    if (before === undefined) return [`+ ${id} (${now}) is carried and not listed`]
    if (now === undefined) return [`- ${id} (${before}) is listed and not carried any more`]
    if (before !== now) return [`! ${id} is ${now}, and listed as ${before}`]
    return []
  })
}
