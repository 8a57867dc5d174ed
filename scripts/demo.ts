import { findOrStartHost } from './demo/host.ts';
import { walkStory } from './demo/story.ts';

let stepCount = 0;

async function step(title: string, work: () => Promise<string>): Promise<void> {
  stepCount += 1;
  console.log(`\n${stepCount}. ${title}`);
  console.log(`   ${await work()}`);
}

async function demo(): Promise<void> {
  const host = await findOrStartHost(process.env.BOWLINE_HOME?.trim() || '.bowline');
  try {
    const { url } = host.hostJson;
    console.log(host.isOwn ? `No Bowline runs here, so a fresh one was started: ${url}` : `Bowline runs on ${url}`);
    await walkStory(host.hostJson, step);
    console.log(`\nThat was the whole story, in ${stepCount} steps.`);
  } finally {
    await host.stop();
  }
}

try {
  await demo();
  process.exit(0);
} catch (error) {
  // An interruption stops the host under the story: there is no failure to tell of then.
  if (process.exitCode !== undefined) process.exit();
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  console.error(stepCount === 0 ? `The demo cannot begin: ${reason}` : `Step ${stepCount} failed: ${reason}`);
  process.exit(1);
}
