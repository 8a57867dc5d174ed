import { expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { createConnection, credentials } from './support/grants.ts';
import { isToken } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

const load = sized({ short: { hosts: 2, trials: 2 }, full: { hosts: 3, trials: 8 }, long: { hosts: 4, trials: 30 } });
const copies = 20;

const getWorld = useWorld({ providers: ['strict'] });

it('a callback that arrives twenty times on several processes at once is used once (S-24)', async () => {
  const world = getWorld();
  const provider = world.provider('strict');
  const first = await world.startHost();
  const others = await world.startHosts(load.hosts - 1, { PUBLIC_BASE_URL: first.url });
  const hosts: readonly ChaosHost[] = [first, ...others];
  let exchanges = 0;
  provider.proxy.observe({
    received: (request) => {
      if (isToken(request) && request.body.includes('grant_type=authorization_code')) exchanges += 1;
    },
  });

  for (let trial = 1; trial <= load.trials; trial += 1) {
    const connection = `signed-in-${trial}`;
    await createConnection(first, provider, connection, 'ORG1');
    const started = await world.random.pick(hosts).call('POST', `/api/oauth/connections/${connection}/authorize`, {
      body: {},
    });
    const account = `person-${trial}`;
    const callback = await createUserAgent().browse(started.json.authorization_url, { login: account });
    const statuses = await Promise.all(
      Array.from({ length: copies }, async (_, copy) => {
        const host = hosts[copy % hosts.length] as ChaosHost;
        const answer = await fetch(new URL(`${callback.pathname}${callback.search}`, host.url));
        await answer.body?.cancel();
        return answer.status;
      }),
    );
    expect(statuses.toSorted()).toEqual([200, ...Array(copies - 1).fill(400)]);
    expect(exchanges, 'the code was redeemed once').toBe(trial);
    const grant = { org: 'ORG1', connection, userId: null, provider, account };
    for (const host of hosts) {
      const answer = await credentials(host, grant);
      expect(answer).toMatchObject({ status: 200 });
      const token = await provider.server.provider.AccessToken.find(answer.json.access_token);
      expect(token?.accountId, 'its token lives and is that of the person').toBe(account);
    }
  }
});
