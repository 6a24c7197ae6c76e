import { Host } from './host.ts'
import { Namespace } from './namespace.ts'

/**
 * A network of hosts on one switch, in separate namespaces: nothing on the machine changes, and the lab ends with this
 * process.
 */
export interface Lab {
  /** Adds a host to the switch, with this address (of 10.0.0.0/8). */
  host(name: string, address: string): Promise<Host>
  /** Kills everything that runs on the hosts. */
  close(): Promise<void>
}

export async function openLab(): Promise<Lab> {
  const center = await Namespace.open()
  const all = [center]
  await center.run('ip', 'link', 'add', 'name', 'switch', 'type', 'bridge')
  await center.run('ip', 'link', 'set', 'dev', 'switch', 'up')
  return {
    host: async (name, address) => {
      const own = await Namespace.open(center)
      all.push(own)
      await center.run(
        'ip',
        'link',
        'add',
        'name',
        name,
        'type',
        'veth',
        'peer',
        'name',
        'eth0',
        'netns',
        String(own.pid)
      )
      await center.run('ip', 'link', 'set', 'dev', name, 'master', 'switch', 'up')
      return await Host.open(own, address)
    },
    close: async () => {
      for (const namespace of all.reverse()) await namespace.close()
    }
  }
}
