import { isP2plError } from '../../src/errors.ts'

export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export const never = (): Promise<never> => new Promise(() => undefined)

export const mebibyte: number = 1024 * 1024

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'no error',
    (error: unknown) => (isP2plError(error) ? error.code : String(error))
  )
}
