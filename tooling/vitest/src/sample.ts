import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Runs the first sample of a README unchanged in a separate process, and returns its output. `place`: a folder of the
 * same package, so that the package's own name resolves.
 */
export function runFirstSample(readme: URL, place: string): string {
  const folder = mkdtempSync(join(place, '.readme-'))
  try {
    const file = join(folder, 'sample.ts')
    writeFileSync(file, firstSample(readme))
    return execFileSync(process.execPath, ['-C', '@p2pl/source', file], { encoding: 'utf8', timeout: 150_000 })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The code of the first sample of a README in that language. */
export function firstSample(readme: URL, language: 'ts' | 'js' = 'ts'): string {
  const sample = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(readFileSync(readme, 'utf8'))?.[1]
  if (sample === undefined) throw new Error(`${readme.pathname} has no sample`)
  return sample
}
