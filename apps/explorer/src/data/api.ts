import { type Signal, signal } from '@preact/signals'

/** The token with which the server permits writes. The user enters it, and it is kept only for this tab. */
export const token: Signal<string> = signal(sessionStorage.getItem('token') ?? '')

export function setToken(value: string): void {
  token.value = value.trim()
  sessionStorage.setItem('token', token.value)
}

/** A refusal by the server, as a sentence for people. */
export class ApiError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export async function getJson<T>(path: string, signal_?: AbortSignal): Promise<T> {
  const response = await fetch(path, { signal: signal_ ?? null, cache: 'no-store' })
  const body = (await response.json()) as T
  if (!response.ok) throw refusal(response.status, body)
  return body
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: authorization() },
    body: JSON.stringify(body)
  })
  const answer = (await response.json()) as T
  if (!response.ok) throw refusal(response.status, answer)
  return answer
}

/** Sends a file. It does not use `fetch`, which does not report the progress of an upload. */
export async function postFile<T>(path: string, file: File, onProgress: (sent: number) => void): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('authorization', authorization())
    request.setRequestHeader('content-type', file.type === '' ? 'application/octet-stream' : file.type)
    request.responseType = 'json'
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(loaded))
    request.addEventListener('load', () => {
      if (request.status < 400) resolve(request.response as T)
      else reject(refusal(request.status, request.response))
    })
    request.addEventListener('error', () => reject(new ApiError(0, 'the server does not answer')))
    request.send(file)
  })
}

/** A browser refuses other characters in a header, with a message of its own. */
function authorization(): string {
  if (!/^[\x21-\x7e]+$/.test(token.value)) throw refusal(401, undefined)
  return `Bearer ${token.value}`
}

function refusal(status: number, body: unknown): ApiError {
  const { error } = (body ?? {}) as { error?: { message?: string } }
  if (status === 401) {
    setToken('')
    return new ApiError(status, 'the token is wrong: enter the one that the server printed when it started')
  }
  return new ApiError(status, error?.message ?? `the server answered ${status}`)
}
