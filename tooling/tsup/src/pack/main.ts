// Checks the package of the current folder in the form that its users get. Run it through pnpm, after the build.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { apiReports } from './api.ts'
import { contents } from './contents.ts'
import { declarations } from './declarations.ts'
import { pack } from './packed.ts'

function run(command: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? [] : [`${command}:\n${stdout}${stderr}`]
}

const packed = pack()
try {
  const wrong = [
    ...contents(packed),
    ...declarations(packed),
    ...apiReports(packed, 'api', process.argv.includes('--write-api')),
    ...run('publint', ['run', '--strict', packed.tarball]),
    ...run('attw', [packed.tarball, '--profile', 'esm-only'])
  ]
  for (const line of wrong) process.stderr.write(`${packed.manifest.name}: ${line}\n`)
  if (wrong.length > 0) process.exitCode = 1
} finally {
  rmSync(packed.place, { recursive: true })
}
