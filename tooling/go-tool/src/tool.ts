import { readFileSync } from 'node:fs'

/** A program that Go builds from a pinned module. */
export interface GoTool {
  /** A name for people: `Kubo`. */
  readonly name: string
  /** The folder with go.mod and go.sum, which pin the program. */
  readonly folder: string
  /** The module that go.mod names: `github.com/ipfs/kubo`. */
  readonly module: string
  /** The package of its command. */
  readonly command: string
  /** The name of the binary: `ipfs`. */
  readonly binary: string
  /** The environment variable that names another binary: `KUBO_BINARY`. */
  readonly variable: string
  /** More arguments of `go build`. */
  readonly args?: readonly string[]
  /** How long a build takes, for people: `three to four minutes on two cores`. */
  readonly takes: string
}

/** The pinned version in go.mod. */
export function pinnedVersion({ folder, module }: GoTool): string {
  const line = readFileSync(`${folder}/go.mod`, 'utf8')
    .split('\n')
    .find((text) => text.includes(`${module} v`))
  const version = line?.split(`${module} v`)[1]?.split(' ')[0]
  if (version === undefined) throw new Error(`go.mod of ${folder} does not name ${module}`)
  return version
}

/** The oldest Go that go.mod accepts: `[1, 26, 5]`. */
export function minimumGo({ folder }: GoTool): readonly number[] {
  const version = /^go (\d+(?:\.\d+)*)$/m.exec(readFileSync(`${folder}/go.mod`, 'utf8'))?.[1]
  if (version === undefined) throw new Error(`go.mod of ${folder} names no version of Go`)
  return version.split('.').map(Number)
}
