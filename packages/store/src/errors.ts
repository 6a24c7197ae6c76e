import { type ErrorCode, errorMessage, isP2plError, P2plError } from '@p2pl/core/backend'
import { ForeignFilesError } from './place.ts'
import { DatabaseTakenError } from './tabs.ts'
import type { StoreOptions } from './types.ts'

/** The folder does not contain what LevelDB wrote. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

/** Another version of the store wrote the folder. */
export class ForeignError extends Error {
  override readonly name = 'ForeignError'
}

type Call = keyof StoreOptions['operations']

/** The errors of one store. Each error names the folder and says what to do. */
export class StoreErrors {
  readonly #options: StoreOptions
  readonly #place: string

  constructor(options: StoreOptions) {
    this.#options = options
    this.#place = typeof options.location === 'string' ? `the store "${options.location}"` : 'the store'
  }

  opening(cause: unknown): P2plError {
    if (isP2plError(cause)) return cause
    if (cause instanceof DatabaseTakenError) {
      const name = this.#options.around ?? (this.#options.location as string)
      const fix = `close that one, or wait for it with whenFree("${name}"), or use another name here`
      return this.#error('open', 'LOCKED', `"${name}" is in use by ${cause.message}: ${fix}`, cause)
    }
    if (isLocked(cause)) {
      const fix = 'stop that one, or use another folder here'
      return this.#error('open', 'LOCKED', `${this.#place} is in use by another process or peer: ${fix}`, cause)
    }
    if (cause instanceof ForeignFilesError) {
      const fix = 'give a folder that is empty, or not there yet'
      return this.#error('open', 'INVALID_ARGUMENT', `${cause.message}, and no store: ${fix}`, cause)
    }
    if (isDamage(cause)) return this.damaged('open', cause)
    return this.#error('open', 'STORAGE', `${this.#place} cannot be opened: ${fixOf(cause)}`, cause)
  }

  damaged(call: Call, cause: unknown): P2plError {
    return this.#error(
      call,
      'STORAGE',
      `${this.#place} is damaged (${reasonOf(cause)}): ${this.#options.remedy}`,
      cause
    )
  }

  otherFormat(found: string | undefined): P2plError {
    const { format, remedy } = this.#options
    const was = found === undefined ? 'an earlier version' : `"${found}"`
    return this.#error(
      'open',
      'STORAGE',
      `${this.#place} was written by ${was}, not by "${formatText(format)}": ${remedy}`
    )
  }

  /** The disk lost data that it had confirmed. */
  lost(): P2plError {
    const what = 'has lost acknowledged writes, because the disk no longer has what it confirmed'
    return this.#error('write', 'STORAGE', `${this.#place} ${what}: check the disk, then ${this.#options.remedy}`)
  }

  /** `bytes`: how many bytes are missing; 0 or less where the file system has space but cannot create more files. */
  full(bytes: number): P2plError {
    const room = bytes > 0 ? `${Math.ceil(bytes / 1_048_576)} MiB` : 'some files (its table of inodes is full)'
    return this.#error(
      'write',
      'STORAGE',
      `the disk of ${this.#place} is full: free ${room}, or unpin content and run gc, and writes go on`
    )
  }

  closed(call: 'read' | 'write'): P2plError {
    return this.#error(call, 'NOT_RUNNING', `${this.#place} was closed: open it again`)
  }

  failed(call: 'read' | 'write', cause: unknown): P2plError {
    if (isP2plError(cause)) return cause
    if (isDamage(cause)) return this.damaged(call, cause)
    return this.#error(call, 'STORAGE', `${this.#place} failed to ${call}: ${fixOf(cause)}`, cause)
  }

  #error(call: Call, code: ErrorCode, message: string, cause?: unknown): P2plError {
    const { backend, operations } = this.#options
    return new P2plError({ code, operation: operations[call], backend, cause, message })
  }
}

export function formatText({ name, version }: StoreOptions['format']): string {
  return `${name} ${version}`
}

export function isLocked(error: unknown): boolean {
  const reason = rootOf(error)
  return reason instanceof Error && codeOf(reason) === 'LEVEL_LOCKED'
}

export function isDamage(error: unknown): boolean {
  const reason = rootOf(error)
  return reason instanceof Error && (reason.name === 'DamageError' || codeOf(reason) === 'LEVEL_CORRUPTION')
}

/** The original error: abstract-level wraps errors while it opens, and the store wraps them too. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error
}

function codeOf(error: Error): unknown {
  return (error as { code?: unknown }).code
}

function reasonOf(error: unknown): string {
  return errorMessage(rootOf(error))
}

/** LevelDB passes on the system's error messages, but no codes. */
function fixOf(error: unknown): string {
  const reason = reasonOf(error)
  if (/no space|quota|too large/i.test(reason))
    return `${reason}: free some space (or files, where "df -i" shows none free), and writes go on`
  if (/read-only/i.test(reason))
    return `${reason}: find the reason in the log of the system, mount it writable again, and writes go on`
  return `${reason}: check free space, permissions and the disk`
}
