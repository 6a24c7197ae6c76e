#!/usr/bin/env node
// Old syntax on purpose: any Node that can be met reads this file, and says what is wrong.
var wanted = [22, 19]
var found = process.versions.node.split('.').map(Number)
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  var fault = 'p2pl needs Node ' + wanted.join('.') + ' or later; this is Node ' + process.versions.node
  var fix = 'install a newer Node, or put it before this one in PATH (this one is ' + process.execPath + ')'
  process.stderr.write('error: ' + fault + ': ' + fix + ' (MISSING_DEPENDENCY)\n')
  process.exitCode = 1
} else {
  require('node:module').enableCompileCache()
  void import('../dist/index.js').then(function (cli) {
    return cli.main()
  })
}
