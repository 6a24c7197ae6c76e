import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Report {
  readonly vulnerabilities?: Readonly<
    Record<
      string,
      { readonly severity: string; readonly via: readonly (string | { title: string; url: string; range: string })[] }
    >
  >
  readonly error?: unknown
}

/**
 * Asks the registry for advisories about exactly these packages, with npm's own audit of a lockfile that contains
 * nothing else. Resolves with `undefined` if the registry does not answer.
 */
export async function audit(ids: readonly string[], options: readonly string[] = []): Promise<string[] | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'p2pl-audit-'))
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lockfileOf(ids)))
    const args = ['audit', '--json', '--package-lock-only', '--fetch-retries=0', ...options]
    // npm exits with 1 if it found anything.
    const stdout = await new Promise<string>((resolve) =>
      execFile('npm', args, { cwd: folder, timeout: 60_000, maxBuffer: 1 << 26 }, (_error, out) => resolve(out))
    )
    return findings(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const manifest = { name: 'carried', version: '0.0.0', private: true }

/** Each package gets a separate folder, so that there is room for two versions of one name. */
function lockfileOf(ids: readonly string[]): object {
  const packages = ids.map((id, i) => {
    const at = id.lastIndexOf('@')
    const path = `node_modules/carrier-${i}/node_modules/${id.slice(0, at)}`
    return [path, { version: id.slice(at + 1), license: 'see the SBOM' }]
  })
  return {
    ...manifest,
    lockfileVersion: 3,
    requires: true,
    packages: { '': manifest, ...(Object.fromEntries(packages) as object) }
  }
}

/** One line per advisory of the report; `undefined` if the output is not a report. */
function findings(output: string): string[] | undefined {
  let report: Report
  try {
    report = JSON.parse(output) as Report
  } catch {
    return undefined
  }
  if (report.vulnerabilities === undefined) return undefined
  return Object.entries(report.vulnerabilities).flatMap(([name, { severity, via }]) =>
    via.flatMap((cause) =>
      typeof cause === 'string' ? [] : [`${name} ${cause.range}: ${severity}, ${cause.title} (${cause.url})`]
    )
  )
}
