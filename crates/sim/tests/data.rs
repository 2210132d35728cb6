//! Data packets beside the media.

mod common;

use common::{SECOND, show, world};

/// L-44, L-12: order is kept for each sender, on one shard and over two.
#[test]
fn l_44_l_12_data_arrives_in_order_over_shards_both_ways() {
    let mut world = world(2);
    let (publisher, subscriber) = show(&mut world, 0, 1);
    for reliable in [true, false] {
        for number in 0..100u32 {
            assert!(world.client(publisher).send_message(reliable, &number.to_be_bytes()));
            assert!(world.client(subscriber).send_message(reliable, &(number + 1000).to_be_bytes()));
            world.run(SECOND / 200);
        }
        world.run(SECOND / 2);
        let to_subscriber = std::mem::take(&mut world.client(subscriber).messages);
        let to_publisher = std::mem::take(&mut world.client(publisher).messages);
        let expected =
            |first: u32| (first..first + 100).map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(to_subscriber, expected(0), "reliable: {reliable}");
        assert_eq!(to_publisher, expected(1000), "reliable: {reliable}");
    }
}
