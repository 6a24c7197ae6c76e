/** The address on which a peer listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:4001` or `[::1]:4001`; `undefined` for any other text. */
export function parseAddress(text: string): Address | undefined {
  const [, v6, v4, port = ''] = /^(?:\[([0-9a-f:.]{2,45})\]|([\w.-]{1,253})):(\d{1,5})$/i.exec(text) ?? []
  const host = v6 ?? v4
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) }
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
