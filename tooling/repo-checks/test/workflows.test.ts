import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { files, pnpm, read } from '../src/workspace.ts'

interface Job {
  readonly permissions?: Readonly<Record<string, string>>
  readonly environment?: string
  readonly env?: Readonly<Record<string, unknown>>
  readonly steps: readonly {
    readonly uses?: string
    readonly run?: string
    readonly with?: Readonly<Record<string, unknown>>
  }[]
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

const paths = files.filter((path) => /(?:^|\/)\.github\/workflows\/[^/]+\.ya?ml$/.test(path))
const workflows = paths.map((path) => ({ path, text: read(path), workflow: parse(read(path)) as Workflow }))
const named = (name: string): Workflow => parse(read(`.github/workflows/${name}.yml`)) as Workflow

describe.each(workflows)('$path', ({ text, workflow }) => {
  it('names each action by the hash of a commit, and its version beside it', () => {
    const lines = text.split('\n').filter((line) => /\buses:/.test(line))
    expect(lines.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([])
    const versions = new Map<string, Set<string>>()
    for (const line of lines) {
      const [, repository = '', version = ''] = /uses: ([\w-]+\/[\w-]+)\S*@(.*)$/.exec(line) ?? []
      versions.set(repository, (versions.get(repository) ?? new Set()).add(version))
    }
    expect([...versions].filter(([, all]) => all.size > 1)).toEqual([])
  })

  it('may read, and write only where a job says so', () => {
    expect(Object.entries(workflow.permissions ?? { all: 'write' }).filter(([, may]) => may !== 'read')).toEqual([])
    // It would run a stranger's code with the rights of this repository.
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target')
    expect(text).not.toMatch(/secrets\./)
    const checkouts = Object.values(workflow.jobs).flatMap(({ steps }) =>
      steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'))
    )
    for (const { with: options } of checkouts) expect(options?.['persist-credentials']).toBe(false)
  })
})

describe('releases', () => {
  const { jobs } = named('release')

  it('each job may do what it is for', () => {
    expect(Object.fromEntries(Object.entries(jobs).map(([name, { permissions }]) => [name, permissions]))).toEqual({
      select: { contents: 'read' },
      version: { contents: 'write', 'pull-requests': 'write' },
      pack: { contents: 'read' },
      publish: { contents: 'write', 'id-token': 'write' }
    })
  })

  it('the job that publishes runs no code of ours and no install script, proves where packages come from, and needs no token', () => {
    const { environment, env, steps } = jobs['publish'] as Job
    expect(environment).toBe('npm')
    expect(env).toEqual({ NPM_CONFIG_PROVENANCE: true, PNPM_CONFIG_PROVENANCE: true })
    expect(steps.flatMap(({ run = [] }) => run)).toEqual([
      `npm install --global ${pnpm}`,
      'pnpm install --frozen-lockfile --ignore-scripts'
    ])
  })

  it('what is packed was checked', () => {
    expect((jobs['pack'] as Job).steps.map(({ run }) => run)).toContain('pnpm run check:all')
  })

  it('every job uses the pnpm of the workspace', () => {
    const versions = Object.values(jobs).flatMap(({ steps }) =>
      steps.flatMap(({ run = '' }) => /pnpm@\S+/.exec(run) ?? [])
    )
    expect(new Set(versions)).toEqual(new Set([pnpm]))
  })
})

it('CI runs what a developer can run', () => {
  const [job] = Object.values(named('ci').jobs)
  expect(job?.steps.filter(({ run }) => run?.endsWith('bash .ci/run') === true)).toHaveLength(1)
})

it('dependencies are three days old before they are taken', () => {
  for (const path of files.filter((name) => name.endsWith('pnpm-workspace.yaml')))
    expect([path, (parse(read(path)) as { minimumReleaseAge?: number }).minimumReleaseAge]).toEqual([path, 4_320])
})
