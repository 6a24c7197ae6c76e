import { execFile } from 'node:child_process'

export interface RunOptions {
  readonly cwd: string
  /** Default: {@link plainEnvironment}. */
  readonly env?: NodeJS.ProcessEnv
  /** In ms. Default: five minutes. */
  readonly timeout?: number
}

/** The environment of a user's shell, without the test runner, the workspace or CI. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const foreign = /^(?:npm_|pnpm_|yarn_|vitest|node_options$|node_test_context$|init_cwd$|ci$|turbo_)/i
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
  const path = (env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'))
  return { ...env, PATH: path.join(':') }
}

/** Resolves with the output of the program. Rejects with all of its output if it fails. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { cwd, env = plainEnvironment(), timeout = 300_000 } = options
  return await new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, timeout, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error }))
    })
  })
}
