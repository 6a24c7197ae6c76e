declare module 'bittorrent-tracker' {
  import type { EventEmitter } from 'node:events'

  interface Part {
    address(): { port: number }
  }

  export class Server extends EventEmitter {
    constructor(options: { http: boolean; udp: boolean; ws: boolean; stats: boolean })
    readonly http: Part
    readonly udp: Part
    listen(port: number, hosts: { http: string; udp: string; udp6: string }, listening: () => void): void
    close(closed: () => void): void
  }
}
