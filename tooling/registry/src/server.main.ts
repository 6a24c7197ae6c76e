// A Verdaccio in a separate process, which ends with the process that started it.
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { programFile } from './programs.ts'

interface Verdaccio {
  runServer(configuration: string): Promise<Server>
}

process.on('disconnect', () => process.exit(0))
const verdaccio = (await import(pathToFileURL(programFile('verdaccio/build/index.mjs')).href)) as Verdaccio
const server = await verdaccio.runServer(process.argv[2] ?? '')
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
