/**
 * Runs between us and the daemon, in its own process and session. When the channel to us closes, however we end (even
 * by `kill -9`), it ends the daemon and then itself. It is a string, so that it works from the sources, from the build
 * and inside the bundle of an app. Arguments: milliseconds from SIGTERM to SIGKILL, the script of the guard or an empty
 * string, the command and its arguments.
 */
export const supervisorScript: string = `
const { spawn } = require('node:child_process')
const [grace, guardScript, command, ...args] = process.argv.slice(1)
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] })
const tell = (message, done = () => {}) => process.connected ? process.send(message, () => done()) : done()
let stopping = false
const stop = () => {
  if (stopping) return
  stopping = true
  // A stopped process takes no SIGTERM before it continues.
  child.kill('SIGTERM')
  child.kill('SIGCONT')
  setTimeout(() => child.kill('SIGKILL'), Number(grace))
}
let guard
child.on('spawn', () => {
  if (guardScript !== '') {
    guard = spawn('/bin/sh', ['-c', guardScript, 'sh', String(child.pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    guard.on('error', () => {})
    guard.stdin.on('error', () => {})
  }
  tell({ type: 'pid', pid: child.pid, guardPid: guard?.pid })
})
process.on('disconnect', stop)
process.on('message', stop)
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop)
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
child.on('error', (error) => tell({ type: 'failed', message: error.message }, () => process.exit(1)))
child.on('exit', (code, signal) => {
  guard?.stdin.end('the daemon is gone\\n')
  tell({ type: 'exit', code, signal }, () => process.exit(0))
})
`

/**
 * Holds one end of a pipe to the supervisor. A line in the pipe means that the daemon has ended. A closed pipe without
 * a line means that the supervisor was killed and can no longer end anything.
 */
export const guardScript: string = process.platform === 'win32' ? '' : 'read -r line || kill -9 "$1"'
