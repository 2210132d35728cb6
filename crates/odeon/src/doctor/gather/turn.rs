//! The relay: whether its name leads here, and whether it answers on this machine's own address.

use super::{ASK_TIMEOUT, leads_to};
use crate::config::Config;
use crate::doctor::facts::{Facts, TurnFacts};
use crate::relay;
use crate::tls::Source;
use net::turn::probe::{Way, answers};
use std::net::{IpAddr, SocketAddr};

/// What the settings say.
pub(super) fn settings(config: &Config) -> Option<TurnFacts> {
    let domain = config.turn_domain.0.clone();
    config.turn_enabled.then_some(TurnFacts { domain, leads_to: None, silent: None })
}

/// What can be found out. A relay that does not run is not asked.
pub(super) async fn ask(config: &Config, turn: Option<TurnFacts>, facts: &Facts) -> Option<TurnFacts> {
    let turn = turn?;
    let here = address(config, facts).filter(|_| facts.running);
    let (leads_to, silent) = tokio::join!(leads_to(&turn.domain), async {
        match here {
            Some(here) => Some(silent(config, here).await),
            None => None,
        }
    });
    Some(TurnFacts { leads_to, silent, ..turn })
}

async fn silent(config: &Config, here: IpAddr) -> Vec<&'static str> {
    let https = matches!(Source::of(config), Ok(Some(_)));
    let own = relay::ports(config, https);
    // Behind a balancer plain TCP is spoken there.
    let tls = if config.turn_external_tls { Way::Tcp } else { Way::Tls };
    let ways =
        [("turn.udp_port", own.udp, Way::Udp), ("turn.tcp_port", own.tcp, Way::Tcp), ("turn.tls_port", own.tls, tls)];
    let asked = ways.map(|(setting, port, way)| async move {
        let there = SocketAddr::new(here, port?);
        (!answers(there, way, ASK_TIMEOUT).await).then_some(setting)
    });
    let [udp, tcp, tls] = asked;
    let (udp, tcp, tls) = tokio::join!(udp, tcp, tls);
    [udp, tcp, tls].into_iter().flatten().collect()
}

/// An address that the relay listens on and clients are told: through a NAT that does not lead back, only they can ask.
fn address(config: &Config, facts: &Facts) -> Option<IpAddr> {
    let bound = config.rtc_bind.filter(|bind| !bind.is_unspecified());
    bound.or_else(|| facts.told.iter().copied().find(|told| facts.own.iter().any(|(_, own)| own == told)))
}
