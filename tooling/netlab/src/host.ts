import type { ChildProcess } from 'node:child_process'
import type { Namespace } from './namespace.ts'

/** Undoes the effect of a call on a link. */
export type Heal = () => Promise<void>

/** A machine of the lab. */
export class Host {
  readonly #namespace: Namespace
  #address: string

  private constructor(namespace: Namespace, address: string) {
    this.#namespace = namespace
    this.#address = address
  }

  static async open(namespace: Namespace, address: string): Promise<Host> {
    const host = new Host(namespace, address)
    await host.#ip('link', 'set', 'lo', 'up')
    await host.#ip('link', 'set', 'eth0', 'up')
    await host.addAddress(address)
    await host.#nft('add table inet lab')
    await host.#nft('add chain inet lab in { type filter hook input priority 0; }')
    return host
  }

  /** Its initial address, or the one that it moved to. */
  get address(): string {
    return this.#address
  }

  async addAddress(address: string): Promise<void> {
    // Without IPv6 probing and without a wait, because IPv4 addresses are available at once.
    await this.#ip('address', 'add', `${address}/8`, 'dev', 'eth0')
  }

  async removeAddress(address: string): Promise<void> {
    await this.#ip('address', 'del', `${address}/8`, 'dev', 'eth0')
  }

  /** Like a device that changes its network: the old address disappears without any message, not even a reset. */
  async move(address: string): Promise<void> {
    await this.removeAddress(this.#address)
    await this.addAddress(address)
    this.#address = address
  }

  async link(state: 'up' | 'down'): Promise<void> {
    await this.#ip('link', 'set', 'eth0', state)
  }

  /** Nothing from the other host arrives here any more, but everything sent to it does. */
  async dropFrom(other: Host): Promise<Heal> {
    return await this.#rule(`ip saddr ${other.address} drop`)
  }

  /** Each TCP packet from the other host is answered with a reset. Resets themselves arrive, so that both sides notice. */
  async resetFrom(other: Host): Promise<Heal> {
    return await this.#rule(`ip saddr ${other.address} tcp flags & rst == 0 reject with tcp reset`)
  }

  /** Runs a TypeScript program on this host, with a channel to this process. It is killed with the lab. */
  fork(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return this.#namespace.fork(script, args, env)
  }

  async #rule(rule: string): Promise<Heal> {
    const added = await this.#nft('--echo', '--handle', `add rule inet lab in ${rule}`)
    const handle = /# handle (\d+)/.exec(added)?.[1]
    return async () => void (await this.#nft(`delete rule inet lab in handle ${handle}`))
  }

  async #ip(...words: string[]): Promise<void> {
    await this.#namespace.run('ip', ...words)
  }

  async #nft(...words: string[]): Promise<string> {
    return await this.#namespace.run('nft', ...words)
  }
}
