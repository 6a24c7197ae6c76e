import { type ErrorCode, P2plError } from '@p2pl/core'

type Explanation = readonly [code: ErrorCode, sentence: (path: string) => string]

const full: Explanation = [
  'STORAGE',
  (path) => `the disk that holds ${path} is full, or a quota is reached: make room, then do it again`
]
const denied: Explanation = [
  'STORAGE',
  (path) => `this user may not use ${path}: change its permissions, or choose another folder`
]

const explanations: Readonly<Record<string, Explanation>> = {
  ENOENT: ['NOT_FOUND', (path) => `there is no ${path}`],
  EISDIR: ['INVALID_ARGUMENT', (path) => `${path} is a folder: name a file`],
  EEXIST: ['INVALID_ARGUMENT', (path) => `${path} is there already, and is no folder: choose another name`],
  ENOTDIR: ['INVALID_ARGUMENT', (path) => `a part of ${path} is a file, not a folder`],
  ENAMETOOLONG: ['INVALID_ARGUMENT', (path) => `the name ${path.slice(0, 80)}… is too long`],
  EACCES: denied,
  EPERM: denied,
  EROFS: ['STORAGE', (path) => `the disk that holds ${path} is read-only: choose another folder`],
  ENOSPC: full,
  EDQUOT: full,
  EMFILE: ['STORAGE', () => 'this user has too many files open: raise the limit (ulimit -n)']
}

/**
 * Converts an error of the operating system about a file that the user named to a `P2plError` whose message says what to
 * do. Any other value is returned unchanged. For command lines only, since the message includes the path.
 */
export function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code = '', path, syscall } = error as NodeJS.ErrnoException
  const explanation = syscall === undefined ? undefined : explanations[code]
  if (explanation === undefined) return error
  const [kind, sentence] = explanation
  return new P2plError({ code: kind, message: sentence(path ?? 'the file') })
}
