import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import type { PackedPackage } from './packed.ts'

const needed = ['README.md', 'LICENSE.MIT', 'LICENSE.APACHE']

interface SourceMap {
  readonly sources: readonly string[]
  readonly sourcesContent?: readonly (string | null)[]
}

/** Problems with the files of a package: missing files, dead doors, conditions of the workspace, sources included twice. */
export function contents({ folder, manifest, files }: PackedPackage): string[] {
  const all = new Set(files)
  const wrong = needed.filter((file) => !all.has(file)).map((file) => `there is no ${file}`)
  const text = JSON.stringify(manifest)
  if (/@p2pl\/source|workspace:|catalog:/.test(text)) wrong.push('package.json names something of the workspace')
  for (const [, file = ''] of JSON.stringify(manifest.exports).matchAll(/"\.\/([^"]+)"/g))
    if (!file.endsWith('*') && !all.has(file) && file.includes('.'))
      wrong.push(`a door leads to ${file}, which is not there`)
  for (const file of files.filter((name) => name.endsWith('.map'))) {
    const map = JSON.parse(readFileSync(join(folder, file), 'utf8')) as SourceMap
    if (map.sourcesContent?.some((content) => content !== null) === true) wrong.push(`${file} holds sources again`)
    const gone = map.sources
      .map((source) => normalize(join(dirname(file), source)))
      .filter((source) => source.startsWith('src/') && !all.has(source))
    wrong.push(...gone.map((source) => `${file} leads to ${source}, which is not there`))
  }
  return wrong
}
